"""Tokens and their pictures: vocabulary, 32 x 32 bitmaps, and the frozen embedding made of them.

In: text.  Out: token ids, pictures, unit vectors (V, d).  May import: `app.wording`, NumPy, tokenizers, Pillow; not
PyTorch.
"""

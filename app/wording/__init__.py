"""What a visitor reads: the sentences in English, Russian and Chinese, and how each language counts and writes numbers.

In: a key and values.  Out: a sentence.  May import: the standard library and Babel, so that anything may import it
before NumPy or PyTorch are there.
"""

"""Every sentence that a person reads, in English, Russian and Chinese, and the one error type that carries one.

In: a key, a language, values.  Out: a sentence.  May import: the standard library and Babel, nothing of ours.
"""

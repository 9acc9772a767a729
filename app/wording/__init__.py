"""What a visitor reads: the sentences in English, Russian and Chinese, and how each language counts and writes numbers.

A key and values go in, a sentence comes out.  Imports only the standard library and Babel, so that anything may
import it before NumPy or torch are there.
"""

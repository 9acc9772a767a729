"""Classrooms: a teacher asks, pupils answer by phone, all see how they answered.  In memory only, without names.

In: questions, and what a teacher and pupils send.  Out: what each of them may see.  May import: wording.
"""

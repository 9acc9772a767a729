"""The lesson: questions about the model on display, whose right answers are computed from it.

In: a loaded model and a language.  Out: `Question` records, and steps with what is revealed after them.  It knows
neither HTML nor the page.  May import: models and all below; of viz, the records of `lesson_charts`.
"""

from app.lesson.lesson import questions
from app.lesson.record import Question

__all__ = ["Question", "questions"]

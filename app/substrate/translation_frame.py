"""How a text is put to a network for translation: the same words in training and on the page."""

TARGETS = ("en", "ru", "zh")


def frame(text: str, target: str) -> str:
    """The prompt whose continuation is the translation of a text into `target`: en, ru or zh."""
    return f"= {text} = {target}:"

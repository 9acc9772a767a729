"""The one error type meant for people: its message says what to do next."""

from app.wording.catalogue import say


class UserError(ValueError):
    """Bad input or a missing piece; `code` names the sentence in the catalogue, `values` fill it in."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.code, self.values = code, values

    def __str__(self) -> str:
        return say(self.code, **self.values)

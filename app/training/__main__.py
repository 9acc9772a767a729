"""`python -m app.training`: see `commands`."""

from app.training.commands import main

if __name__ == "__main__":
    main()

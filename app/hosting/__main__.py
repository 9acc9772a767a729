"""`python -m app.hosting owner/name`: see `space`."""

from app.hosting.space import main

if __name__ == "__main__":
    main()

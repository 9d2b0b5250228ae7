"""The same as `socialmd compare`."""

from socialmd.commands.main import main

if __name__ == "__main__":
    main("compare")

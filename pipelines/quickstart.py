"""The same as `socialmd quickstart`."""

from socialmd.commands.main import main

if __name__ == "__main__":
    main("quickstart")

"""The same as `socialmd molecules`."""

from socialmd.commands.main import main

if __name__ == "__main__":
    main("molecules")

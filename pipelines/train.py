"""The same as `socialmd train`."""

from socialmd.commands.main import main

if __name__ == "__main__":
    main("train")

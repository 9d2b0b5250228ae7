"""The same as `socialmd predict`."""

from socialmd.commands.main import main

if __name__ == "__main__":
    main("predict")

"""The same as `socialmd figures`."""

from socialmd.commands.main import main

if __name__ == "__main__":
    main("figures")

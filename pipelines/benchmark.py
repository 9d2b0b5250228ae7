"""The same as `socialmd benchmark`."""

from socialmd.commands.main import main

if __name__ == "__main__":
    main("benchmark")

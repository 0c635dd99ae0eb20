"""``python -m runtime`` is the command ``proxystaff``."""

from runtime.cli.root import main

if __name__ == "__main__":
    main()

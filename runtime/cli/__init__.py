"""The command line: ``root`` is where it begins, every other module holds the commands of one topic."""

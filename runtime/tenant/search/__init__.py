"""What is found again: the index over the message log, and recall over facts and messages. All of it is derived."""

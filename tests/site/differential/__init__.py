"""The site against a second opinion: the same questions to its databases and to an evaluator that is naive."""

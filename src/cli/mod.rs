//! The command line: the only code that prints; one file per subcommand.

//! `nephoscope completions` and `nephoscope man`

use std::io::{self, Write};
use std::path::Path;

use anyhow::Context;
use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;

use crate::cli::Cli;

/// Prints the completion script of a shell.
pub fn completions(shell: Shell) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "nephoscope", &mut script);
    io::stdout().write_all(&script).context("cannot write the script")
}

/// Prints the manual page, or writes the pages of all commands to a directory.
pub fn man(directory: Option<&Path>) -> anyhow::Result<()> {
    match directory {
        Some(directory) => std::fs::create_dir_all(directory)
            .and_then(|()| clap_mangen::generate_to(Cli::command(), directory))
            .with_context(|| format!("cannot write manual pages to {}", directory.display())),
        None => Man::new(Cli::command()).render(&mut io::stdout()).context("cannot write the manual page"),
    }
}

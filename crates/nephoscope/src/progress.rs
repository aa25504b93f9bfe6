//! Progress on a terminal, and nothing elsewhere.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often the bar is drawn a second.
const DRAWS_PER_SECOND: u8 = 8;

/// A bar on standard error that counts `what`; of `total`, where that is known. Hidden unless that is a terminal.
pub(crate) fn bar(what: &'static str, total: Option<u64>) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr_with_hz(DRAWS_PER_SECOND));
    let template = match total {
        Some(_) => "{wide_bar} {human_pos}/{human_len} {msg}, {per_sec}, {eta} left",
        None => "{spinner} {human_pos} {msg}, {per_sec}",
    };
    let style = ProgressStyle::with_template(template).expect("the template is one of the two above");
    bar.with_style(style).with_message(what)
}

//! What Gnocchi's refusals mean for what is sent.

use nephoscope_gnocchi::Error as GnocchiError;
use nephoscope_telemetry::{Error, ErrorKind};

/// Whether it is one resource that is at fault, and would be again.
pub(super) fn is_about_the_resource(error: &GnocchiError) -> bool {
    matches!(
        error,
        GnocchiError::NoSuchResource(_)
            | GnocchiError::NoSuchResourceType(_)
            | GnocchiError::NoSuchAttribute { .. }
            | GnocchiError::InvalidAttributeValue { .. }
            | GnocchiError::ResourceAlreadyExists(_)
            | GnocchiError::Invalid(_)
    )
}

/// Whether what answers is no Gnocchi, or not quite.
pub(super) fn is_senseless(error: &GnocchiError) -> bool {
    matches!(error, GnocchiError::Internal { .. })
}

/// What it means for a whole batch. Only what is invalid is at fault itself; everything else can be mended there, and is
/// tried again until it is.
pub(super) fn of_gnocchi(error: GnocchiError) -> Error {
    let kind = match &error {
        GnocchiError::Invalid(_) => ErrorKind::Invalid,
        GnocchiError::Unavailable { .. } => ErrorKind::Unavailable,
        GnocchiError::Forbidden(_)
        | GnocchiError::NoSuchArchivePolicy(_)
        | GnocchiError::NoArchivePolicyRuleMatch(_) => ErrorKind::Config,
        _ => ErrorKind::Other,
    };
    Error::new(kind, "send to Gnocchi", error.to_string()).with_source(error)
}

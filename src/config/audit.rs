//! Where decisions are recorded: what the machine, the user or the server says. A repository has no say in who watches it.

use std::path::PathBuf;

use toml::Spanned;

use super::{ConfigError, Layer, Origin};

/// Where decisions are recorded, and whose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditPlace {
    /// The file of entries.
    pub file: PathBuf,
    /// The file of the key, where there is one.
    pub key_file: Option<PathBuf>,
    /// Whether hooks of a work tree and scans write entries too.
    pub local: bool,
}

/// What the layers say, the later before the earlier; `None` where nothing is recorded.
///
/// # Errors
/// A path that depends on the current folder.
pub fn audit(layers: &[Layer]) -> Result<Option<AuditPlace>, ConfigError> {
    let (mut file, mut key_file, mut local) = (None, None, false);
    for layer in layers.iter().filter(|layer| layer.origin == Origin::Trusted) {
        let settings = &layer.config.audit;
        for (to, from) in [(&mut file, &settings.file), (&mut key_file, &settings.key_file)] {
            if let Some(from) = from {
                *to = full_path(layer, from)?;
            }
        }
        local = settings.local.unwrap_or(local);
    }
    Ok(file.map(|file| AuditPlace { file, key_file, local }))
}

fn full_path(layer: &Layer, text: &Spanned<String>) -> Result<Option<PathBuf>, ConfigError> {
    let path = PathBuf::from(text.get_ref());
    if path.as_os_str().is_empty() {
        return Ok(None);
    }
    if !path.is_absolute() || path.file_name().is_none() {
        return Err(layer.config.mistake(&layer.file, text, format!("`{}` is no full path of a file", text.get_ref())));
    }
    Ok(Some(path))
}

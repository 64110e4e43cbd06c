//! The entries of a zip file.

use zip::ZipArchive;
use zip::result::ZipError;

use super::{DAMAGED, Seekable, Unpacking, inside};

/// Length of the record that ends a zip file, when nobody wrote a comment.
pub(super) const END: usize = 22;

pub(super) fn entries(file: &mut dyn Seekable, unpacking: &mut Unpacking<'_>, path: &[u8], depth: u8) {
    let mut archive = match ZipArchive::new(file) {
        Ok(archive) => archive,
        Err(error) => return unpacking.skip(path, reason(&error)),
    };
    for at in 0..archive.len() {
        let name = archive.by_index_raw(at).map(|entry| (entry.name_raw().to_vec(), entry.is_dir()));
        let (name, is_folder) = match name {
            Ok(name) => name,
            Err(error) => {
                unpacking.skip(path, reason(&error));
                continue;
            }
        };
        if is_folder {
            continue;
        }
        match archive.by_index(at) {
            Ok(mut entry) => {
                if !unpacking.entry(path, &name, &mut entry, depth) {
                    return;
                }
            }
            Err(error) => unpacking.skip(&inside(path, &name), reason(&error)),
        }
    }
}

/// The reason without words of the file's own.
fn reason(error: &ZipError) -> String {
    match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) | ZipError::InvalidPassword => "it is encrypted".to_owned(),
        ZipError::UnsupportedArchive(_) | ZipError::CompressionMethodNotSupported(_) => {
            "it is compressed in a way that leakstop does not read".to_owned()
        }
        _ => DAMAGED.to_owned(),
    }
}

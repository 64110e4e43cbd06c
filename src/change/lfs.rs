//! Git LFS keeps the content of a file elsewhere, and in git a pointer to it.

/// git-lfs itself reads no longer pointer.
const LONGEST_POINTER: usize = 1024;

/// True for a pointer: the content it stands for is not in git, and no hook sees it.
pub fn is_lfs_pointer(text: &[u8]) -> bool {
    // The second name is the one that Git LFS had before its first release.
    let starts: [&[u8]; 2] = [b"version https://git-lfs.github.com/spec/", b"version https://hawser.github.com/spec/"];
    let has = |part: &[u8]| memchr::memmem::find(text, part).is_some();
    text.len() <= LONGEST_POINTER && starts.iter().any(|start| text.starts_with(start)) && has(b"\noid sha256:") && has(b"\nsize ")
}

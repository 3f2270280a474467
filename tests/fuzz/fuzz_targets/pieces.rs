//! Input for grammars that random bytes seldom keep.

/// The text of an input: its bytes themselves, or else what the bytes choose from `pieces`.
pub fn text((is_plain, bytes): (bool, &[u8]), pieces: &[&str]) -> Vec<u8> {
    if is_plain {
        return bytes.to_vec();
    }
    bytes.iter().flat_map(|byte| pieces[usize::from(*byte) % pieces.len()].bytes()).collect()
}

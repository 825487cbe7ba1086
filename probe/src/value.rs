//! Values that canaries publish: `INSTANCE.cCLIENT#NUMBER`, filled up with dots and letters. The instance is drawn at each start, so
//! that nothing an earlier probe left can be taken for one's own.

use history::ClientId;

/// Writes a value of at least `bytes` bytes.
pub fn make(instance: &str, client: ClientId, number: u64, bytes: usize) -> String {
    let mut value = format!("{instance}.c{client}#{number}");
    if value.len() < bytes {
        value.push('.');
        value.extend(std::iter::repeat_n('x', bytes.saturating_sub(value.len())));
    }
    value
}

/// Client and number of a value of this instance.
pub fn parse(instance: &str, value: &str) -> Option<(ClientId, u64)> {
    let rest = value.strip_prefix(instance)?.strip_prefix(".c")?;
    let (client, rest) = rest.split_once('#')?;
    let number = rest.split_once('.').map_or(rest, |(number, _)| number);
    Some((client.parse().ok()?, number.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_is_parsed() {
        for bytes in [0, 48, 1_024] {
            let value = make("i7f", 12, 3_456, bytes);
            assert!(value.len() >= bytes);
            assert_eq!(parse("i7f", &value), Some((12, 3_456)));
            assert_eq!(parse("i7e", &value), None);
        }
        for strange in ["", "i7f", "i7f.c", "i7f.c1", "i7f.c1#", "i7f.c1#x", "i7f.c99999999999#1", "<script>"] {
            assert_eq!(parse("i7f", strange), None, "{strange}");
        }
    }
}

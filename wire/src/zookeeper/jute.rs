//! Jute, the serialization of ZooKeeper's wire protocol: big-endian numbers, length-prefixed strings and buffers.

use std::string::FromUtf8Error;

/// A message that cannot be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum JuteError {
    /// The message ends in the middle of a field.
    #[error("message too short: {wanted} bytes wanted, {left} left")]
    Short {
        /// Bytes that the field needs.
        wanted: usize,
        /// Bytes that are left.
        left: usize,
    },
    /// A length that cannot be.
    #[error("impossible length {0}")]
    Length(i32),
    /// A string is not UTF-8.
    #[error("not UTF-8: {0}")]
    Utf8(#[from] FromUtf8Error),
}

/// Writes one message.
#[derive(Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// A message that starts with room for its own length.
    pub fn frame() -> Self {
        Writer { bytes: vec![0; 4] }
    }

    /// A 32-bit number.
    pub fn int(&mut self, value: i32) -> &mut Self {
        self.bytes.extend_from_slice(&value.to_be_bytes());
        self
    }

    /// A 64-bit number.
    pub fn long(&mut self, value: i64) -> &mut Self {
        self.bytes.extend_from_slice(&value.to_be_bytes());
        self
    }

    /// A truth value.
    pub fn bool(&mut self, value: bool) -> &mut Self {
        self.bytes.push(u8::from(value));
        self
    }

    /// Bytes with their length.
    pub fn buffer(&mut self, value: &[u8]) -> &mut Self {
        let length = i32::try_from(value.len()).expect("messages are far smaller than 2 GiB");
        self.int(length);
        self.bytes.extend_from_slice(value);
        self
    }

    /// A string with its length.
    pub fn string(&mut self, value: &str) -> &mut Self {
        self.buffer(value.as_bytes())
    }

    /// The message, its length filled in.
    pub fn finish(mut self) -> Vec<u8> {
        assert!(self.bytes.len() >= 4, "a frame starts with its length");
        let length = u32::try_from(self.bytes.len() - 4).expect("messages are far smaller than 4 GiB");
        self.bytes[..4].copy_from_slice(&length.to_be_bytes());
        self.bytes
    }
}

/// Reads one message.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads this message, without its length.
    pub fn new(rest: &'a [u8]) -> Self {
        Reader { rest }
    }

    /// What was not read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    fn take(&mut self, wanted: usize) -> Result<&'a [u8], JuteError> {
        let Some((field, rest)) = self.rest.split_at_checked(wanted) else {
            return Err(JuteError::Short { wanted, left: self.rest.len() });
        };
        self.rest = rest;
        Ok(field)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], JuteError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// A 32-bit number.
    pub fn int(&mut self) -> Result<i32, JuteError> {
        Ok(i32::from_be_bytes(self.array()?))
    }

    /// A 64-bit number.
    pub fn long(&mut self) -> Result<i64, JuteError> {
        Ok(i64::from_be_bytes(self.array()?))
    }

    /// A truth value.
    pub fn bool(&mut self) -> Result<bool, JuteError> {
        Ok(self.take(1)?[0] != 0)
    }

    /// Bytes with their length; length -1 stands for none and is read as empty.
    pub fn buffer(&mut self) -> Result<&'a [u8], JuteError> {
        match self.int()? {
            -1 => Ok(&[]),
            length => self.take(usize::try_from(length).map_err(|_| JuteError::Length(length))?),
        }
    }

    /// A string with its length.
    pub fn string(&mut self) -> Result<String, JuteError> {
        Ok(String::from_utf8(self.buffer()?.to_vec())?)
    }

    /// The number of elements of a list.
    pub fn count(&mut self) -> Result<usize, JuteError> {
        match self.int()? {
            -1 => Ok(0),
            count => usize::try_from(count).map_err(|_| JuteError::Length(count)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut writer = Writer::frame();
        writer.int(-7).long(1 << 40).bool(true).string("d0").buffer(&[1, 2]);
        let frame = writer.finish();
        assert_eq!(frame[..4], u32::try_from(frame.len() - 4).unwrap().to_be_bytes());
        let mut reader = Reader::new(&frame[4..]);
        assert_eq!(reader.int().unwrap(), -7);
        assert_eq!(reader.long().unwrap(), 1 << 40);
        assert!(reader.bool().unwrap());
        assert_eq!(reader.string().unwrap(), "d0");
        assert_eq!(reader.buffer().unwrap(), [1, 2]);
        assert!(reader.rest().is_empty());
    }

    #[test]
    fn broken_messages_are_errors() {
        assert_eq!(Reader::new(&[0, 0]).int(), Err(JuteError::Short { wanted: 4, left: 2 }));
        assert_eq!(Reader::new(&[0, 0, 0, 9, 1]).buffer(), Err(JuteError::Short { wanted: 9, left: 1 }));
        assert_eq!(Reader::new(&[0xff, 0xff, 0xff, 0xfe]).buffer(), Err(JuteError::Length(-2)));
        assert_eq!(Reader::new(&[0xff, 0xff, 0xff, 0xff]).buffer(), Ok(&[][..]));
        assert!(Reader::new(&[0, 0, 0, 1, 0xff]).string().is_err());
    }
}

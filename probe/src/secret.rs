//! Secrets: read from a file or from the environment, never from the configuration itself, and never shown.

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use std::fmt;
use std::path::{Path, PathBuf};

/// A secret is not longer than this: a file that is, is the wrong one.
const BYTES_MAX: u64 = 4 << 10;

/// A secret. It has no serialization, its `Debug` shows nothing, and only [`Secret::reveal`] hands it out.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// For tests and for values that come from elsewhere.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The secret itself: for the wire, not for people.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Compares in a time that does not depend on where the difference is.
    pub fn is(&self, offered: &str) -> bool {
        let (own, offered) = (self.0.as_bytes(), offered.as_bytes());
        let mut difference = own.len() ^ offered.len();
        for (at, byte) in offered.iter().enumerate() {
            difference |= usize::from(byte ^ own[at % own.len().max(1)]);
        }
        difference == 0 && !own.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// Where a secret is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// In this file, without the newline at its end.
    File(PathBuf),
    /// In this environment variable.
    Env(String),
}

/// What to write in a configuration. A secret that somebody put there himself must not come back in the message.
const PLACES: &str = "a secret is not written here, only its place: { file = \"...\" } or { env = \"...\" }";

impl<'de> Deserialize<'de> for SecretSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<SecretSource, D::Error> {
        struct Place;
        impl<'de> Visitor<'de> for Place {
            type Value = SecretSource;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(PLACES)
            }

            fn visit_str<E: Error>(self, _secret: &str) -> Result<SecretSource, E> {
                Err(E::custom(PLACES))
            }

            fn visit_i64<E: Error>(self, _secret: i64) -> Result<SecretSource, E> {
                Err(E::custom(PLACES))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SecretSource, A::Error> {
                let (Some((key, place)), None) = (map.next_entry::<String, String>()?, map.next_key::<String>()?)
                else {
                    return Err(A::Error::custom(PLACES));
                };
                match key.as_str() {
                    "file" => Ok(SecretSource::File(place.into())),
                    "env" => Ok(SecretSource::Env(place)),
                    _ => Err(A::Error::custom(PLACES)),
                }
            }
        }
        deserializer.deserialize_any(Place)
    }
}

impl SecretSource {
    /// Reads it. The error names the place, never the content.
    pub fn read(&self) -> Result<Secret, String> {
        let text = match self {
            SecretSource::File(path) => read_file(path)?,
            SecretSource::Env(name) => {
                std::env::var(name).map_err(|_| format!("the environment variable {name} is not set (or no text)"))?
            }
        };
        let text = text.trim_end_matches(['\r', '\n']);
        if text.is_empty() { Err(format!("{self} is empty")) } else { Ok(Secret(text.to_owned())) }
    }
}

fn read_file(path: &Path) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("the secret in {}: {error}", path.display());
    let length = std::fs::metadata(path).map_err(failed)?.len();
    if length > BYTES_MAX {
        return Err(format!("{} has {length} bytes: no secret is longer than {BYTES_MAX}", path.display()));
    }
    std::fs::read_to_string(path).map_err(failed)
}

impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SecretSource::File(path) => write!(f, "the secret in {}", path.display()),
            SecretSource::Env(name) => write!(f, "the environment variable {name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn it_is_compared_and_never_shown() {
        let secret = Secret::new("hunter2");
        assert!(secret.is("hunter2"));
        for wrong in ["", "hunter", "hunter22", "hunter3", "hunter2hunter2"] {
            assert!(!secret.is(wrong), "{wrong}");
        }
        assert!(!Secret::new("").is(""), "an empty secret opens nothing");
        assert!(!format!("{secret:?} {:?}", Some(&secret)).contains("hunter"));
    }

    #[test]
    fn a_missing_secret_names_its_place() {
        let file = SecretSource::File("/nonexistent/token".into()).read().unwrap_err();
        assert!(file.contains("/nonexistent/token"), "{file}");
        let env = SecretSource::Env("UPHEAVAL_NO_SUCH".into()).read().unwrap_err();
        assert!(env.contains("UPHEAVAL_NO_SUCH"), "{env}");
    }
}

//! Licence expressions (SPDX), as far as crates use them: `OR`, `AND`, `WITH`, parentheses, and the old `MIT/Apache-2.0`.

/// True if the expression can be satisfied with allowed licences alone; an error if it cannot be understood.
pub fn allowed(expression: &str, allow: &[String]) -> Result<bool, String> {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut parser = Parser { words: &words, allow };
    let result = parser.any()?;
    match parser.words {
        [] => Ok(result),
        [word, ..] => Err(format!("unexpected {word:?} in {expression:?}")),
    }
}

struct Parser<'a> {
    words: &'a [&'a str],
    allow: &'a [String],
}

impl<'a> Parser<'a> {
    /// Alternatives.
    fn any(&mut self) -> Result<bool, String> {
        let mut result = self.all()?;
        while self.take("OR") {
            result |= self.all()?;
        }
        Ok(result)
    }

    /// What holds together; binds stronger.
    fn all(&mut self) -> Result<bool, String> {
        let mut result = self.one()?;
        while self.take("AND") {
            result &= self.one()?;
        }
        Ok(result)
    }

    fn one(&mut self) -> Result<bool, String> {
        if self.take("(") {
            let result = self.any()?;
            return if self.take(")") { Ok(result) } else { Err("a parenthesis is not closed".into()) };
        }
        let mut name = self.word()?.to_string();
        if self.take("WITH") {
            name = format!("{name} WITH {}", self.word()?);
        }
        Ok(self.allow.contains(&name))
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.words.first() == Some(&word);
        if found {
            self.words = &self.words[1..];
        }
        found
    }

    fn word(&mut self) -> Result<&'a str, String> {
        let (first, rest) = self.words.split_first().ok_or("a licence's name is missing")?;
        if ["OR", "AND", "WITH", "(", ")"].contains(first) {
            return Err(format!("{first:?} where a licence's name is due"));
        }
        self.words = rest;
        Ok(first)
    }
}

#[cfg(test)]
mod tests {
    use super::allowed;

    #[test]
    fn expressions_are_weighed() {
        let allow = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "Unicode-3.0"].map(String::from);
        for (expression, expected) in [
            ("MIT", Ok(true)),
            ("GPL-3.0-only", Ok(false)),
            ("MIT OR GPL-3.0-only", Ok(true)),
            ("MIT AND GPL-3.0-only", Ok(false)),
            ("MIT/GPL-3.0", Ok(true)),
            ("(MIT OR Apache-2.0) AND Unicode-3.0", Ok(true)),
            ("(MIT OR Apache-2.0) AND NCSA", Ok(false)),
            ("MIT OR Apache-2.0 AND NCSA", Ok(true)),
            ("NCSA AND (MIT OR Apache-2.0)", Ok(false)),
            ("Apache-2.0 WITH LLVM-exception OR NCSA", Ok(true)),
            ("Apache-2.0 WITH Classpath-exception-2.0", Ok(false)),
            ("mit", Ok(false)),
        ] {
            assert_eq!(allowed(expression, &allow), expected, "{expression}");
        }
        for broken in ["", "MIT OR", "(MIT", "MIT)", "AND MIT", "MIT Apache-2.0", "MIT WITH"] {
            assert!(allowed(broken, &allow).is_err(), "{broken:?}");
        }
    }
}

//! Values of operations, 16 bytes each.

use super::list::List;
use super::symbols::Sym;

/// A value as EDN and JSON have them. Lists and vectors are the same here.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Value {
    /// `nil`, `null`, or nothing at all.
    #[default]
    Nil,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number of 64 bits.
    Int(i64),
    /// A string, or a character.
    Text(Sym),
    /// A keyword or symbol.
    Word(Sym),
    /// Any other number, by its text.
    Number(Sym),
    /// A list or vector.
    List(List),
    /// A set, in the order of the file.
    Set(Box<Vec<Value>>),
    /// A map, in the order of the file.
    Map(Box<Vec<(Value, Value)>>),
}

impl Value {
    /// The number, if it is a whole one.
    #[inline]
    pub fn int(&self) -> Option<i64> {
        match self {
            Value::Int(n) => Some(*n),
            _ => None,
        }
    }

    /// The elements of a list.
    #[inline]
    pub fn list(&self) -> Option<&[Value]> {
        match self {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    /// The elements of a list or a set.
    #[inline]
    pub fn items(&self) -> Option<&[Value]> {
        match self {
            Value::List(items) => Some(items),
            Value::Set(items) => Some(items),
            _ => None,
        }
    }

    /// The entries of a map.
    pub fn map(&self) -> Option<&[(Value, Value)]> {
        match self {
            Value::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The symbol of a string, keyword or symbol.
    #[inline]
    pub fn word(&self) -> Option<Sym> {
        match self {
            Value::Text(symbol) | Value::Word(symbol) => Some(*symbol),
            _ => None,
        }
    }

    /// True for nil.
    #[inline]
    pub fn is_nil(&self) -> bool {
        matches!(self, Value::Nil)
    }
}

//! From calls to actions.

use super::model::Model;
use super::words::Words;
use history::calls::Call;

/// A model that understands calls of an operation history.
pub trait Vocabulary: Model {
    /// The action of a call; none if the call says nothing (a read that failed, or of which nobody knows what it saw). The
    /// error is a sentence for whoever chose the model.
    fn action(&self, call: &Call, words: &mut Words<'_>) -> Result<Option<Self::Action>, String>;
}

/// What a failed compare-and-set means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailedCas {
    /// It saw another value than the old one: as in Porcupine.
    Observed,
    /// It did not happen, and says nothing: as in Knossos.
    DidNotHappen,
}

/// The error for a call that a model does not know.
pub(super) fn strange<T>(model: &str, call: &Call, words: &Words<'_>) -> Result<T, String> {
    let (f, input, output) = (words.f(call), words.render(&call.input), words.render(&call.output));
    Err(format!("the model {model} does not know the operation {f} {input} -> {output}"))
}

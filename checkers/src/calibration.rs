//! Bounds of calm that follow the host: a contract that is `calibrated` is bound by twice what the same run needed before
//! its first fault, so that a quiet host is held to more than a busy one and neither to more than the declared limit.

use crate::check::check_source;
use crate::options::{Checker, Options};
use history::{Contract, Event, FaultKind, FaultStage, Header, MILLI, Source};

/// Fewer convergence times than this tell nothing: the declared limits stay.
const SAMPLES_MIN: u64 = 100;
/// How much slower than before the first fault the rest of the run may be.
const MARGIN: u64 = 2;

/// What comes before the first fault.
#[derive(Debug)]
struct Calm<'a>(&'a dyn Source);

impl Source for Calm<'_> {
    fn each(&self, see: &mut dyn FnMut(&Event)) {
        let mut over = false;
        self.0.each(&mut |event| {
            over |= begins(event);
            if !over {
                see(event);
            }
        });
    }
}

fn begins(event: &Event) -> bool {
    match event {
        Event::Fault(fault) => fault.stage == FaultStage::Start && fault.kind != FaultKind::MasterLag,
        _ => false,
    }
}

/// The contract that binds this history: the declared one unless it is `calibrated`. Never wider than the declared one.
/// Checks take contracts as they stand; whoever loads a history puts this one into its header first.
pub fn calibrate(header: &Header, events: &dyn Source, options: &Options) -> Contract {
    let mut contract = header.contract.clone();
    if !contract.calibrated {
        return contract;
    }
    let options = Options { checkers: vec![Checker::Convergence], divisor: 1, ..options.clone() };
    let Some(convergence) = check_source(header, &Calm(events), &options).convergence else { return contract };
    if convergence.calm.count >= SAMPLES_MIN {
        let bound = (convergence.calm.max * MARGIN / MILLI).max(1);
        contract.visible_ms_max = contract.visible_ms_max.min(bound);
        contract.recovered_ms_max = contract.recovered_ms_max.min(bound);
        contract.reregister_ms_max = contract.reregister_ms_max.map(|declared| declared.min(bound));
    }
    contract
}

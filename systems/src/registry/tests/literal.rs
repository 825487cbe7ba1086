//! Single machines, fed by hand: what a slot may do in which phase.

//! What a benchmark took: processor time and memory, as Linux counts them.

/// Processor time of this thread, seconds; 0 where nobody counts it. On a busy machine the time on the wall says little.
pub fn processor_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).map_or(0.0, |ns| ns / 1e9)
}

/// A number of kB in what Linux says of this process (`VmRSS:`, `VmHWM:`), as bytes; 0 where nobody counts it.
pub fn memory_bytes(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    line.and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok()).map_or(0, |kib| kib * 1024)
}

/// The most memory that this process held since the last time that it was asked, bytes; 0 where nobody counts it.
pub fn peak_bytes() -> u64 {
    let peak = memory_bytes("VmHWM:");
    // Begin anew.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    peak
}

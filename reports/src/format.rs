//! Numbers as people read them: thousands separators, units, durations.

use history::{MILLI, Nanos, SECOND};

/// `8,412`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `-8,412`.
pub fn signed(number: i64) -> String {
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{}", count(number.unsigned_abs()))
}

/// `1 push`, `8,412 pushes`: takes the plural and knows the few words that do not just lose an `s`.
pub fn counted(number: u64, plural: &str) -> String {
    if number != 1 {
        return format!("{} {plural}", count(number));
    }
    let single = match plural {
        "pushes" => "push",
        "addresses" => "address",
        other => other.strip_suffix('s').unwrap_or(other),
    };
    format!("1 {single}")
}

/// `1 more push`, `22 more pushes`.
pub fn more(number: u64, plural: &str) -> String {
    counted(number, plural).replacen(' ', " more ", 1)
}

/// A length of time in at most two units: `240 µs`, `6 ms`, `2.9 s`, `1 min 21 s`, `2 h 5 min`.
pub fn duration(time: Nanos) -> String {
    const MINUTE: Nanos = 60 * SECOND;
    const HOUR: Nanos = 60 * MINUTE;
    // Each limit is where rounding would reach the next unit.
    match time {
        0 => "0 ms".to_owned(),
        1..1_000 => format!("{time} ns"),
        1_000..999_500 => format!("{} µs", round(time, 1_000)),
        999_500..9_950_000 => tenths(time, MILLI, "ms"),
        9_950_000..999_500_000 => format!("{} ms", round(time, MILLI)),
        999_500_000..59_950_000_000 => tenths(time, SECOND, "s"),
        59_950_000_000..3_599_500_000_000 => two_units(round(time, SECOND), 60, "min", "s"),
        _ if time < 48 * HOUR => two_units(round(time, MINUTE), 60, "h", "min"),
        _ => two_units(round(time, HOUR), 24, "d", "h"),
    }
}

/// As [`duration`], from milliseconds.
pub fn duration_ms(time_ms: u64) -> String {
    duration(time_ms.saturating_mul(MILLI))
}

fn round(time: Nanos, unit: Nanos) -> u64 {
    time.saturating_add(unit / 2) / unit
}

fn tenths(time: Nanos, unit: Nanos, name: &str) -> String {
    let tenths = round(time, unit / 10);
    match tenths % 10 {
        0 => format!("{} {name}", tenths / 10),
        rest => format!("{}.{rest} {name}", tenths / 10),
    }
}

fn two_units(small: u64, in_large: u64, large_name: &str, small_name: &str) -> String {
    let (large, rest) = (small / in_large, small % in_large);
    if rest == 0 {
        format!("{} {large_name}", count(large))
    } else {
        format!("{} {large_name} {rest} {small_name}", count(large))
    }
}

/// An instant, seconds from the start to the millisecond: `12.481 s`.
pub fn instant(time: Nanos) -> String {
    format!("{} s", seconds(time))
}

/// An instant without its unit, for columns: `12.481`.
pub fn seconds(time: Nanos) -> String {
    let ms = time / MILLI;
    format!("{}.{:03}", count(ms / 1_000), ms % 1_000)
}

/// An instant where a tenth of a second is enough: `31.2 s`.
pub fn instant_short(time: Nanos) -> String {
    let tenths = round(time, SECOND / 10);
    format!("{}.{} s", count(tenths / 10), tenths % 10)
}

/// A span of time: `12.204-12.699 s`.
pub fn span(from: Nanos, to: Nanos) -> String {
    format!("{}-{} s", seconds(from), seconds(to))
}

/// A share: `92.4 %`. Never rounds to 100 or to 0 what is not.
pub fn permille(share: i64) -> String {
    let sign = if share < 0 { "-" } else { "" };
    let share = share.unsigned_abs();
    match share % 10 {
        0 => format!("{sign}{} %", share / 10),
        rest => format!("{sign}{}.{rest} %", share / 10),
    }
}

/// `1.9 MiB`.
pub fn bytes(number: u64) -> String {
    let mut unit = 1u64;
    for name in ["bytes", "KiB", "MiB", "GiB"] {
        if number < unit.saturating_mul(1_024) || name == "GiB" {
            let tenths = u128::from(number) * 10 / u128::from(unit);
            return if name == "bytes" || tenths.is_multiple_of(10) || tenths >= 1_000 {
                format!("{} {name}", count((tenths / 10) as u64))
            } else {
                format!("{}.{} {name}", tenths / 10, tenths % 10)
            };
        }
        unit *= 1_024;
    }
    unreachable!("the last unit takes everything")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_separators_and_numbers() {
        let shown: Vec<String> = [0, 12, 999, 1_000, 61_230, 12_000_000].into_iter().map(count).collect();
        assert_eq!(shown, ["0", "12", "999", "1,000", "61,230", "12,000,000"]);
        assert_eq!(signed(-1_204), "-1,204");
        assert_eq!(counted(1, "pushes"), "1 push");
        assert_eq!(counted(1, "changes"), "1 change");
        assert_eq!(counted(0, "changes"), "0 changes");
    }

    #[test]
    fn durations_keep_two_digits_that_matter() {
        let table = [
            (0, "0 ms"),
            (999, "999 ns"),
            (240_000, "240 µs"),
            (999_600, "1 ms"),
            (6 * MILLI, "6 ms"),
            (1_449_000, "1.4 ms"),
            (41_400_000, "41 ms"),
            (999_600_000, "1 s"),
            (2_900 * MILLI, "2.9 s"),
            (6 * SECOND, "6 s"),
            (59_949 * MILLI, "59.9 s"),
            (59_960 * MILLI, "1 min"),
            (81 * SECOND, "1 min 21 s"),
            (3_600 * SECOND, "1 h"),
            (7_500 * SECOND, "2 h 5 min"),
            (60 * 3_600 * SECOND, "2 d 12 h"),
        ];
        for (time, expected) in table {
            assert_eq!(duration(time), expected);
        }
        assert_eq!(duration(Nanos::MAX).split(' ').count(), 4, "no overflow");
    }

    #[test]
    fn instants_shares_and_bytes() {
        assert_eq!(instant(12_481_900_000), "12.481 s");
        assert_eq!(instant_short(31_249 * MILLI), "31.2 s");
        assert_eq!(span(12_204 * MILLI, 12_699 * MILLI), "12.204-12.699 s");
        assert_eq!([permille(999), permille(1_000), permille(1), permille(0)], ["99.9 %", "100 %", "0.1 %", "0 %"]);
        assert_eq!([bytes(12), bytes(2_048), bytes(2_000_000)], ["12 bytes", "2 KiB", "1.9 MiB"]);
        assert_eq!(bytes(3 << 30), "3 GiB");
    }
}

//! The `upheaval` program: one place prints errors, one place exits.

use std::process::ExitCode;

fn main() -> ExitCode {
    // The program is its own supervisor: a second process that lifts the faults of a real run if the first one dies.
    #[cfg(target_os = "linux")]
    if let Some(code) = nemesis::linux::supervisor::main(std::env::args_os().skip(1)) {
        return ExitCode::from(u8::try_from(code).unwrap_or(4));
    }
    std::panic::set_hook(Box::new(|panic| {
        eprintln!("upheaval: internal error, a bug of upheaval: {panic}");
        eprintln!("upheaval: faults are lifted; please report this with the run's folder");
    }));
    let code = match std::panic::catch_unwind(harness::cli::main) {
        Ok(Ok(code)) => code,
        Ok(Err(error)) => {
            eprintln!("upheaval: {error}");
            error.code()
        }
        Err(_) => 4,
    };
    ExitCode::from(code)
}

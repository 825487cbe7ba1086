//! Histories that were cut, corrupted, edited or are none at all; and disks that fill up.
#![allow(clippy::unwrap_used)]

mod common;

use common::{events, header, load, written};
use history::*;
use std::cell::Cell;
use std::io::{self, Write};
use std::rc::Rc;

/// Where frames end, and how many events are whole up to there.
fn frames(frame: usize) -> (Vec<u8>, Vec<(usize, usize)>) {
    let sink = Shared::default();
    let mut writer = Writer::new(sink.clone(), "memory", &header()).unwrap();
    let mut ends = vec![(sink.len(), 0)];
    for (i, event) in events().iter().enumerate() {
        writer.event(event).unwrap();
        if (i + 1) % frame == 0 {
            writer.flush().unwrap();
            ends.push((sink.len(), i + 1));
        }
    }
    writer.finish().unwrap();
    drop(writer);
    (sink.bytes.take(), ends)
}

#[test]
fn cut_at_any_byte_gives_every_whole_frame() {
    let (bytes, ends) = frames(3);
    for cut in 0..bytes.len() {
        let whole = ends.iter().rev().find(|(end, _)| *end <= cut);
        match (whole, load(&bytes[..cut])) {
            (None, Err(Error::Empty { .. })) => assert_eq!(cut, 0),
            (None, Err(Error::NoHeader { offset, .. })) => assert_eq!(offset, 0),
            (Some((end, count)), Ok(loaded)) => {
                assert_eq!(loaded.events, events()[..*count], "cut at {cut}");
                assert_eq!(loaded.closing, None);
                let found = loaded.damage.map(|damage| (damage.offset, damage.line));
                let expected = (*end as u64, *count as u64 + 2);
                assert_eq!(found, (cut > *end).then_some(expected), "cut at {cut}");
            }
            (whole, result) => panic!("cut at {cut}: {whole:?} {result:?}"),
        }
    }
}

#[test]
fn any_flipped_byte_is_reported_or_harmless() {
    let (bytes, _) = frames(3);
    let good = load(&bytes).unwrap();
    let mut reported = 0;
    for at in 0..bytes.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut bad = bytes.clone();
            bad[at] ^= flip;
            match load(&bad) {
                Err(_) => reported += 1,
                Ok(loaded) if loaded.damage.is_some() => {
                    reported += 1;
                    assert_eq!(loaded.events, good.events[..loaded.events.len()], "byte {at}");
                }
                Ok(loaded) => assert_eq!((loaded.events, loaded.closing), (good.events.clone(), good.closing.clone())),
            }
        }
    }
    assert!(reported > bytes.len() * 3 * 9 / 10, "only {reported} of {} were noticed", bytes.len() * 3);
}

#[test]
fn any_flipped_or_missing_byte_of_plain_text_is_reported() {
    let (bytes, _) = frames(3);
    let text = zstd::decode_all(&bytes[..]).unwrap();
    for at in 0..text.len() {
        let mut bad = text.clone();
        bad[at] ^= 0x01;
        assert!(load(&bad).map_or(true, |loaded| loaded.damage.is_some() || loaded.closing.is_none()), "byte {at}");
        // Without its very last newline it is still whole.
        let cut = load(&text[..at]);
        assert!(at == text.len() - 1 || cut.map_or(true, |loaded| loaded.closing.is_none()), "cut at {at}");
    }
}

#[test]
fn edits_are_found_by_count_and_hash() {
    let (bytes, _) = written(&events(), 100);
    let text = String::from_utf8(zstd::decode_all(&bytes[..]).unwrap()).unwrap();
    let damage = |text: String| load(text.as_bytes()).unwrap().damage.unwrap();
    assert!(damage(text.replace("timed out", "timed 0ut")).what.contains("hash"));
    let fewer: Vec<&str> = text.lines().filter(|line| !line.contains("reset by peer")).collect();
    let counted = damage(fewer.join("\n"));
    assert!(counted.what.contains("counts 14 events, there are 13"), "{counted}");
    assert_eq!(counted.line, 15);
    assert!(damage(format!("{text}{text}")).what.contains("goes on after"));
    let wrong = damage(text.replace("\"snapshot\":1,", "\"snapshot\":9,"));
    assert!(wrong.what.contains("snapshot #9 is used before"), "{wrong}");
    assert_eq!(wrong.line, 13);
    let line = text.lines().position(|line| line.contains("\"snapshot\":1,")).unwrap();
    let offset = text.lines().take(line).map(|line| line.len() + 1).sum::<usize>();
    assert_eq!(wrong.offset, offset as u64);
    assert!(
        damage(text.replace("\"data\":0,\"snapshot\":1", "\"data\":7,\"snapshot\":1")).what.contains("dataId 7 of 2")
    );
}

#[test]
fn zeros_and_rubbish_behind_a_frame_are_reported_with_their_place() {
    let (bytes, ends) = frames(3);
    let (end, count) = ends[2];
    for rubbish in [&[0_u8; 4096][..], b"{\"push\":{}}\n", b"rubbish"] {
        let mut bad = bytes[..end].to_vec();
        bad.extend_from_slice(rubbish);
        let loaded = load(&bad).unwrap();
        assert_eq!((loaded.events.len(), loaded.damage.unwrap().offset), (count, end as u64));
    }
}

#[test]
fn what_is_no_history_is_refused_clearly() {
    let dir = tempfile::tempdir().unwrap();
    let message = |result: Result<Loaded, Error>| result.unwrap_err().to_string();
    assert!(message(read(dir.path())).contains("is a directory; give the history file in it"));
    assert!(message(read(dir.path().join("none"))).contains("No such file"));
    assert!(message(load(b"")).contains("is empty"));
    assert!(message(load(b"PK\x03\x04")).contains("not a history"));
    assert!(message(load(b"{\"push\":{}}\n")).contains("first line is no header"));
    assert!(message(load(&zstd::encode_all(&b"hello\n"[..], 3).unwrap())).contains("first line is no header"));
    assert!(message(load(&zstd::encode_all(&b""[..], 3).unwrap())).contains("no line"));
    let other = b"{\"header\":{\"schema\":2,\"program\":\"upheaval 9.1.0\",\"shape\":\"new\"}}\n";
    let text = message(load(other));
    assert!(text.contains("has schema 2, this program reads schema 1") && text.contains("upheaval 9.1.0"), "{text}");
}

#[test]
fn an_existing_file_is_not_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("history.jsonl.zst");
    let mut writer = Writer::create(&path, &header()).unwrap();
    assert!(matches!(Writer::create(&path, &header()), Err(Error::Create { .. })));
    writer.finish().unwrap();
    assert!(writer.event(&events()[0]).is_err());
    assert!(read(&path).unwrap().closing.is_some());
}

#[test]
fn no_line_and_no_frame_takes_more_memory_than_allowed() {
    let (bytes, ends) = frames(3);
    let whole = &bytes[..ends[0].0];
    let long = vec![b'x'; 65 << 20];
    let mut plain = zstd::decode_all(whole).unwrap();
    plain.extend_from_slice(&long);
    assert!(load(&plain).unwrap().damage.unwrap().what.contains("line is longer than 64 MiB"));

    let framed = |frames: &[Vec<u8>]| load(&[whole, &frames.concat()].concat()).unwrap().damage.unwrap().what;
    let half = zstd::encode_all(&long[..33 << 20], 1).unwrap();
    assert!(framed(&[half.clone(), half]).contains("line is longer than 64 MiB"));
    // Little in the file, much in memory.
    let bomb = zstd::encode_all(io::Read::take(io::repeat(b'\n'), 300 << 20), 1).unwrap();
    assert!(bomb.len() < 1 << 20);
    assert!(framed(&[bomb]).contains("more than 72 MiB"));
    let mut wide = zstd::Encoder::new(Vec::new(), 1).unwrap();
    wide.window_log(30).unwrap();
    wide.write_all(b"\n").unwrap();
    assert!(framed(&[wide.finish().unwrap()]).contains("too much memory"));

    let mut writer = Writer::new(Vec::new(), "memory", &header()).unwrap();
    let mut failed = common::operation(0, Outcome::Info, Function::Publish);
    failed.error = Some(String::from_utf8(long).unwrap());
    assert!(writer.event(&Event::Op(Box::new(failed))).unwrap_err().to_string().contains("longer than 64 MiB"));
    writer.event(&events()[0]).unwrap();
    assert_eq!(writer.finish().unwrap().events, 1);
    assert_eq!(load(writer.sink()).unwrap().events, events()[..1]);
}

/// A disk with so much room.
#[derive(Clone, Default)]
struct Shared {
    bytes: Rc<Cell<Vec<u8>>>,
    room: Rc<Cell<Option<usize>>>,
}

impl Shared {
    fn copy(&self) -> Vec<u8> {
        let bytes = self.bytes.take();
        self.bytes.set(bytes.clone());
        bytes
    }

    fn len(&self) -> usize {
        self.copy().len()
    }
}

impl Write for Shared {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let take = self.room.get().unwrap_or(usize::MAX).min(text.len()).min(100);
        if take == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.room.set(self.room.get().map(|room| room - take));
        let mut bytes = self.bytes.take();
        bytes.extend_from_slice(&text[..take]);
        self.bytes.set(bytes);
        Ok(take)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_loses_nothing_and_writing_goes_on_when_there_is_room_again() {
    let (good, ends) = frames(3);
    for room in ends[0].0..good.len() {
        let disk = Shared::default();
        disk.room.set(Some(room));
        let mut writer = Writer::new(disk.clone(), "full.zst", &header()).unwrap();
        let mut errors = 0;
        for (i, event) in events().iter().enumerate() {
            writer.event(event).unwrap();
            if (i + 1) % 3 == 0
                && let Err(error) = writer.flush()
            {
                assert!(error.to_string().contains("full.zst"), "{error}");
                let whole = ends.iter().rev().find(|(end, _)| *end <= disk.len()).unwrap().1;
                assert_eq!(load(&disk.copy()).unwrap().events, events()[..whole]);
                errors += 1;
                disk.room.set(None);
            }
        }
        if writer.finish().is_err() {
            errors += 1;
            disk.room.set(None);
            writer.finish().unwrap();
        }
        assert_eq!(errors, 1, "room for {room}");
        drop(writer);
        let loaded = load(&disk.copy()).unwrap();
        assert_eq!((loaded.events, loaded.damage), (events(), None));
        assert!(loaded.closing.is_some());
    }
}

//! Hosts and the network between them.

use crate::runner::{Skip, Test, interfaces, lab, namespaces, run_name, state_folder};
use nemesis::linux::{CLIENTS, Lab, LabError};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

pub const TESTS: &[Test] = &[
    ("network::leaves_nothing", leaves_nothing),
    ("network::bad_names_are_refused", bad_names_are_refused),
    ("network::the_root_namespace_stays_apart", the_root_namespace_stays_apart),
    ("network::everybody_reaches_everybody", everybody_reaches_everybody),
    ("network::one_way_cut", one_way_cut),
    ("network::tcp_needs_both_ways", tcp_needs_both_ways),
    ("network::overlapping_cuts", overlapping_cuts),
    ("network::heal_all", heal_all),
    ("network::a_dropped_cut_is_lifted", a_dropped_cut_is_lifted),
    ("network::two_labs_do_not_touch", two_labs_do_not_touch),
];

const SOON: Duration = Duration::from_millis(300);

fn leaves_nothing() -> Result<(), Skip> {
    let (before, cables) = (namespaces(), interfaces());
    let begin = Instant::now();
    let lab = lab("nothing", &["n1", "n2", "n3"])?;
    let made = begin.elapsed();
    assert_eq!(namespaces().len(), before.len() + 5);
    assert_eq!(interfaces(), cables, "the root namespace gets no interface");
    assert!(lab.is_supervised());
    let folder = lab.temporary_folder("data").unwrap();
    std::fs::write(folder.join("file"), "x").unwrap();
    let begin = Instant::now();
    let mut cut = lab.cut(&[("n1", "n2"), ("n2", "n1")]).unwrap();
    let cutting = begin.elapsed();
    cut.lift().unwrap();
    let lifting = begin.elapsed() - cutting;
    let begin = Instant::now();
    lab.remove().unwrap();
    println!("      made in {made:?}, removed in {:?}; cut in {cutting:?}, lifted in {lifting:?}", begin.elapsed());
    assert_eq!(namespaces(), before);
    assert_eq!(interfaces(), cables);
    assert!(!folder.exists());
    assert!(!state_folder().join(run_name("nothing")).exists());
    Ok(())
}

fn bad_names_are_refused() -> Result<(), Skip> {
    let before = namespaces();
    for hosts in [&["clients"][..], &["n1", "n1"], &["a/b"]] {
        match Lab::create(&run_name("bad"), hosts) {
            Err(LabError::Name { .. }) => {}
            Err(error @ (LabError::NotRoot | LabError::MissingTool { .. })) => return Err(Skip(error.to_string())),
            other => panic!("{other:?}"),
        }
    }
    let lab = lab("unknown", &["n1"])?;
    assert!(matches!(lab.address("n9"), Err(LabError::NoSuchHost { .. })));
    assert!(matches!(lab.cut(&[("n1", "n9")]), Err(LabError::NoSuchHost { .. })));
    assert!(matches!(lab.cut(&[("n1", "n1")]), Err(LabError::Name { .. })));
    assert!(matches!(Lab::create(lab.run(), &[]), Err(LabError::Busy { .. })), "the name of a live run");
    drop(lab);
    assert_eq!(namespaces(), before);
    Ok(())
}

fn the_root_namespace_stays_apart() -> Result<(), Skip> {
    let lab = lab("apart", &["n1"])?;
    let address = lab.address("n1").unwrap();
    let addresses = std::fs::read_to_string("/proc/net/fib_trie").unwrap();
    assert!(!addresses.contains(&address.to_string()), "no route to {address} outside");
    lab.remove().unwrap();
    Ok(())
}

fn everybody_reaches_everybody() -> Result<(), Skip> {
    let hosts = ["n1", "n2", CLIENTS];
    let lab = lab("reach", &hosts[..2])?;
    for from in hosts {
        for to in hosts.iter().filter(|to| **to != from) {
            // A datagram may be lost on a busy host, three in a row are not.
            assert!((0..3).any(|_| datagram(&lab, from, to)), "{from} -> {to} udp");
            assert!(connects(&lab, from, to), "{from} -> {to} tcp");
        }
    }
    Ok(())
}

fn one_way_cut() -> Result<(), Skip> {
    let lab = lab("one-way", &["n1", "n2", "n3"])?;
    let mut cut = lab.cut(&[("n1", "n2")]).unwrap();
    assert_eq!(cut.dropped().unwrap(), 0, "nothing was sent yet");
    assert!(!datagram(&lab, "n1", "n2"));
    for (from, to) in [("n2", "n1"), ("n1", "n3"), ("n3", "n2"), (CLIENTS, "n2"), ("n1", CLIENTS)] {
        assert!(datagram(&lab, from, to), "{from} -> {to} is not cut");
    }
    assert_eq!(cut.dropped().unwrap(), 1);
    cut.lift().unwrap();
    assert!(datagram(&lab, "n1", "n2"));
    assert_eq!(cut.dropped().unwrap(), 1, "it still knows");
    cut.lift().unwrap();
    Ok(())
}

fn tcp_needs_both_ways() -> Result<(), Skip> {
    let lab = lab("tcp", &["n1", "n2"])?;
    let mut cut = lab.cut(&[("n1", "n2")]).unwrap();
    assert!(!connects(&lab, "n1", "n2"), "the request is lost");
    assert!(!connects(&lab, "n2", "n1"), "the answer is lost");
    assert!(cut.dropped().unwrap() >= 2);
    cut.lift().unwrap();
    assert!(connects(&lab, "n1", "n2"));
    assert!(connects(&lab, "n2", "n1"));
    Ok(())
}

fn overlapping_cuts() -> Result<(), Skip> {
    let lab = lab("overlap", &["n1", "n2", "n3"])?;
    let mut first = lab.cut(&[("n1", "n2"), ("n2", "n1"), ("n1", "n2")]).unwrap();
    assert!(!datagram(&lab, "n1", "n2"));
    let mut second = lab.cut(&[("n1", "n2"), ("n1", "n3")]).unwrap();
    assert_eq!(second.dropped().unwrap(), 0, "each counts from its own beginning");
    assert!(!datagram(&lab, "n1", "n2"));
    assert!(!datagram(&lab, "n1", "n3"));
    first.lift().unwrap();
    assert!(datagram(&lab, "n2", "n1"), "only the first cut it");
    assert!(!datagram(&lab, "n1", "n2"), "the second still cuts it");
    let frames: Vec<u64> = second.dropped_by_link().unwrap().iter().map(|link| link.frames).collect();
    assert_eq!(frames, [2, 1]);
    assert_eq!(first.dropped().unwrap(), 2);
    second.lift().unwrap();
    assert!(datagram(&lab, "n1", "n2") && datagram(&lab, "n1", "n3"));
    assert_eq!((first.dropped().unwrap(), second.dropped().unwrap()), (2, 3));
    Ok(())
}

fn heal_all() -> Result<(), Skip> {
    let lab = lab("heal", &["n1", "n2"])?;
    let mut first = lab.cut(&[("n1", "n2")]).unwrap();
    let second = lab.cut(&[(CLIENTS, "n2")]).unwrap();
    assert!(!datagram(&lab, "n1", "n2") && !datagram(&lab, CLIENTS, "n2"));
    lab.heal_all().unwrap();
    assert!(datagram(&lab, "n1", "n2") && datagram(&lab, CLIENTS, "n2"));
    assert_eq!((first.dropped().unwrap(), second.dropped().unwrap()), (1, 1));
    let mut again = lab.cut(&[("n1", "n2")]).unwrap();
    first.lift().unwrap();
    assert!(!datagram(&lab, "n1", "n2"), "lifting a healed cut does not touch a new one");
    again.lift().unwrap();
    assert!(datagram(&lab, "n1", "n2"));
    Ok(())
}

fn a_dropped_cut_is_lifted() -> Result<(), Skip> {
    let lab = lab("drop", &["n1", "n2"])?;
    let cut = lab.cut(&[("n1", "n2")]).unwrap();
    assert!(!datagram(&lab, "n1", "n2"));
    drop(cut);
    assert!(datagram(&lab, "n1", "n2"));
    Ok(())
}

fn two_labs_do_not_touch() -> Result<(), Skip> {
    let first = lab("two-a", &["n1", "n2"])?;
    let second = lab("two-b", &["n1", "n2"])?;
    let _cut = first.cut(&[("n1", "n2")]).unwrap();
    assert!(!datagram(&first, "n1", "n2"));
    assert!(datagram(&second, "n1", "n2"));
    first.remove().unwrap();
    assert!(datagram(&second, "n1", "n2"));
    Ok(())
}

/// Whether a datagram gets from one host to another.
fn datagram(lab: &Lab, from: &str, to: &str) -> bool {
    let bind = |host: &str| {
        let address = lab.address(host).unwrap();
        lab.namespace(host).unwrap().run(move || UdpSocket::bind((address, 0)).unwrap()).unwrap()
    };
    let (sender, receiver) = (bind(from), bind(to));
    receiver.set_read_timeout(Some(SOON)).unwrap();
    sender.send_to(b"x", receiver.local_addr().unwrap()).unwrap();
    let mut bytes = [0; 8];
    match receiver.recv_from(&mut bytes) {
        Ok((_, source)) => source == sender.local_addr().unwrap(),
        Err(_) => false,
    }
}

/// Whether a connection can be opened from one host to another.
fn connects(lab: &Lab, from: &str, to: &str) -> bool {
    let address: Ipv4Addr = lab.address(to).unwrap();
    let server = lab.namespace(to).unwrap().run(move || TcpListener::bind((address, 0)).unwrap()).unwrap();
    let target: SocketAddr = server.local_addr().unwrap();
    lab.namespace(from).unwrap().run(move || TcpStream::connect_timeout(&target, SOON).is_ok()).unwrap()
}

//! Datagrams as Ceilometer's publisher sends them.

use std::fs;
use std::net::UdpSocket;

use crate::{Rig, golden};

fn datagrams() -> Vec<Vec<u8>> {
    let mut paths: Vec<_> = fs::read_dir(golden("udp")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|is| is == "bin"));
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

#[tokio::test]
async fn what_ceilometer_sends_is_delivered_and_what_is_broken_is_kept() {
    let rig = Rig::start("udp://127.0.0.1:0").await;
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    let datagrams = datagrams();
    sender.send_to(b"\xc1", rig.address).unwrap();
    sender.send_to(b"", rig.address).unwrap();
    for datagram in &datagrams {
        sender.send_to(datagram, rig.address).unwrap();
    }
    sender.send_to(&[datagrams[0].as_slice(), b"\x01"].concat(), rig.address).unwrap();
    rig.until(|rig| rig.count() == 22 && rig.dead().lines().count() == 3).await;
    let dead = rig.dead();
    assert!(dead.contains("udp://127.0.0.1:0") && dead.contains("no MessagePack"), "{dead}");
    assert!(dead.contains("goes on behind its sample"), "{dead}");
    let samples = rig.end().await;
    assert_eq!((samples[0].name.as_str(), samples[20].resource_id.as_str()), ("cpu", "rés-ü-Ω"));
}

#[tokio::test]
async fn it_listens_on_several_addresses_of_both_versions() {
    let rig = Rig::start("udp://[::1]:0,127.0.0.1:0").await;
    assert!(rig.address.is_ipv6());
    let sender = UdpSocket::bind("[::1]:0").unwrap();
    sender.send_to(&datagrams()[0], rig.address).unwrap();
    rig.until(|rig| rig.count() == 1).await;
}

/// What came before the end is delivered.
#[tokio::test]
async fn a_burst_is_received_whole() {
    const BURST: usize = 2_000;
    let rig = Rig::start("udp://127.0.0.1:0").await;
    let address = rig.address;
    let datagram = datagrams().swap_remove(0);
    let sending = tokio::task::spawn_blocking(move || {
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        for number in 0..BURST {
            sender.send_to(&datagram, address).unwrap();
            // A kernel with small buffers holds no more.
            if number % 50 == 49 {
                std::thread::yield_now();
            }
        }
    });
    sending.await.unwrap();
    rig.until(|rig| rig.count() == BURST).await;
    assert_eq!(rig.end().await.len(), BURST);
}

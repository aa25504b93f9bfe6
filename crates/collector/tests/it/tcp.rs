//! Streams as Ceilometer's publisher sends them.

use std::fs;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::{Rig, golden};

#[tokio::test]
async fn what_ceilometer_sends_is_delivered_however_it_is_cut() {
    let stream = fs::read(golden("stream.bin")).unwrap();
    let rig = Rig::start("tcp://127.0.0.1:0").await;
    let mut connection = TcpStream::connect(rig.address).await.unwrap();
    for piece in stream.chunks(700) {
        connection.write_all(piece).await.unwrap();
        connection.flush().await.unwrap();
    }
    rig.until(|rig| rig.count() == 5).await;
    connection.write_all(&stream).await.unwrap();
    drop(connection);
    rig.until(|rig| rig.count() == 10).await;
    assert_eq!(rig.dead(), "");
    assert_eq!(rig.end().await[9].name, fifth_name());
}

/// The meter of the fifth sample of the stream.
fn fifth_name() -> String {
    let decoded: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(golden("stream.json")).unwrap()).unwrap();
    decoded[4]["decoded"]["counter_name"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_sample_that_is_broken_costs_itself_and_one_that_is_too_long_its_connection() {
    let stream = fs::read(golden("stream.bin")).unwrap();
    let rig = Rig::start("tcp://127.0.0.1:0").await;
    let mut connection = TcpStream::connect(rig.address).await.unwrap();
    connection.write_all(&[3, 0, 0, 0, 0, 0, 0, 0, 0xc1, 0xc1, 0xc1]).await.unwrap();
    connection.write_all(&stream).await.unwrap();
    rig.until(|rig| rig.count() == 5 && rig.dead().lines().count() == 1).await;
    connection.write_all(&[0xff; 8]).await.unwrap();
    assert_eq!(connection.read(&mut [0; 1]).await.unwrap(), 0);
    let mut again = TcpStream::connect(rig.address).await.unwrap();
    again.write_all(&stream).await.unwrap();
    rig.until(|rig| rig.count() == 10).await;
}

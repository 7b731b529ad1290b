//! Small files made on the spot: PDF, PNG, ZIP, CSV, iCalendar.

use std::io::Write as _;

use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use mailgrant_core::time::UnixTime;

use super::compose::Person;
use super::random::Sequence;

/// One page with a heading and lines (ISO 32000-1 §7.5): what a PDF needs and no more.
pub(super) fn pdf(heading: &str, lines: &[String]) -> Vec<u8> {
    let mut content = format!("BT /F1 20 Tf 64 760 Td ({}) Tj ET\n", pdf_text(heading));
    content.push_str("0.4 w 64 748 m 531 748 l S\nBT /F2 11 Tf 64 720 Td 16 TL\n");
    for line in lines {
        content.push_str(&format!("({}) Tj T*\n", pdf_text(line)));
    }
    content.push_str("ET\n");
    let font = |name: &str| {
        format!("<< /Type /Font /Subtype /Type1 /BaseFont /{name} /Encoding /WinAnsiEncoding >>")
    };
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 6 0 R /Resources << /Font << /F1 4 0 R /F2 5 0 R >> >> >>".to_owned(),
        font("Helvetica-Bold"),
        font("Helvetica"),
        format!("<< /Length {} >>\nstream\n{content}endstream", content.len()),
    ];
    let mut out = String::from("%PDF-1.4\n");
    let mut offsets = Vec::new();
    for (number, object) in (1..).zip(&objects) {
        offsets.push(out.len());
        out.push_str(&format!("{number} 0 obj\n{object}\nendobj\n"));
    }
    let table = out.len();
    out.push_str(&format!(
        "xref\n0 {}\n0000000000 65535 f \n",
        objects.len() + 1
    ));
    for offset in offsets {
        out.push_str(&format!("{offset:010} 00000 n \n"));
    }
    out.push_str(&format!(
        "trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n",
        objects.len() + 1
    ));
    out.into_bytes()
}

/// A picture of soft hills in two colours under a sky, different for each seed text.
pub(super) fn png(width: u32, height: u32, seed: &str) -> Vec<u8> {
    let mut random = Sequence::of(seed);
    let hue = random.below(360) as f32;
    let (phase, waves) = (
        random.below(628) as f32 / 100.0,
        1.5 + random.below(20) as f32 / 10.0,
    );
    let mut rows = Vec::new();
    for y in 0..height {
        rows.push(0);
        for x in 0..width {
            let (across, down) = (x as f32 / width as f32, y as f32 / height as f32);
            let far = 0.55 + 0.12 * (across * waves * 6.0 + phase).sin();
            let near = 0.74 + 0.10 * (across * waves * 4.0 - phase).cos();
            let colour = if down > near {
                hsl(hue + 150.0, 0.42, 0.36)
            } else if down > far {
                hsl(hue + 130.0, 0.38, 0.52)
            } else {
                hsl(hue + 40.0 * down, 0.62, 0.70 + 0.2 * down)
            };
            rows.extend_from_slice(&colour);
        }
    }
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    // Writing to a Vec does not fail.
    let data = zlib
        .write_all(&rows)
        .and_then(|()| zlib.finish())
        .unwrap_or_default();
    let mut header = Vec::new();
    header.extend_from_slice(&width.to_be_bytes());
    header.extend_from_slice(&height.to_be_bytes());
    header.extend_from_slice(&[8, 2, 0, 0, 0]);
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut out, *b"IHDR", &header);
    chunk(&mut out, *b"IDAT", &data);
    chunk(&mut out, *b"IEND", &[]);
    out
}

/// An archive whose members are stored as they are.
pub(super) fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, octets) in members {
        let mut crc = Crc::new();
        crc.update(octets);
        // Version, flags (UTF-8 names), method, time, date: 1 November 2026.
        let mut common = [20_u16, 0x0800, 0, 0x6000, 0x5D61]
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect::<Vec<u8>>();
        let size = octets.len() as u32;
        for value in [crc.sum(), size, size] {
            common.extend_from_slice(&value.to_le_bytes());
        }
        common.extend_from_slice(&(name.len() as u16).to_le_bytes());
        common.extend_from_slice(&[0, 0]);
        let offset = out.len() as u32;
        out.extend_from_slice(b"PK\x03\x04");
        out.extend_from_slice(&common);
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(octets);
        directory.extend_from_slice(b"PK\x01\x02\x14\x00");
        directory.extend_from_slice(&common);
        directory.extend_from_slice(&[0; 10]);
        directory.extend_from_slice(&offset.to_le_bytes());
        directory.extend_from_slice(name.as_bytes());
    }
    let count = (members.len() as u16).to_le_bytes();
    let start = out.len() as u32;
    let length = directory.len() as u32;
    out.extend(directory);
    out.extend_from_slice(b"PK\x05\x06\x00\x00\x00\x00");
    out.extend_from_slice(&count);
    out.extend_from_slice(&count);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&start.to_le_bytes());
    out.extend_from_slice(&[0, 0]);
    out
}

/// Monthly figures as a spreadsheet reads them.
pub(super) fn csv(seed: &str) -> Vec<u8> {
    let mut random = Sequence::of(seed);
    let mut out = String::from("month,region,orders,revenue_eur,returns\r\n");
    for month in 1..=10 {
        for region in ["North", "South", "\"East, incl. islands\""] {
            let orders = 120 + random.below(240);
            let revenue = orders * (38 + random.below(22));
            let returns = random.below(orders / 12);
            out.push_str(&format!(
                "2026-{month:02},{region},{orders},{revenue}.{:02},{returns}\r\n",
                random.below(100)
            ));
        }
    }
    out.into_bytes()
}

/// A meeting (RFC 5545, RFC 5546 REQUEST).
pub(super) fn invitation(
    uid: &str,
    summary: &str,
    place: &str,
    organizer: &Person,
    guest: &Person,
    start: UnixTime,
    minutes: i64,
) -> String {
    let stamp = |moment: i64| {
        Timestamp::from_second(moment)
            .unwrap_or_default()
            .to_zoned(TimeZone::UTC)
            .strftime("%Y%m%dT%H%M%SZ")
            .to_string()
    };
    let lines = [
        "BEGIN:VCALENDAR".to_owned(),
        "VERSION:2.0".to_owned(),
        "PRODID:-//mailgrant//sandbox//EN".to_owned(),
        "METHOD:REQUEST".to_owned(),
        "BEGIN:VEVENT".to_owned(),
        format!("UID:{uid}"),
        format!("DTSTAMP:{}", stamp(start.0 - 4 * 86_400)),
        format!("DTSTART:{}", stamp(start.0)),
        format!("DTEND:{}", stamp(start.0 + minutes * 60)),
        format!("SUMMARY:{}", summary.replace(',', "\\,")),
        format!("LOCATION:{}", place.replace(',', "\\,")),
        format!(
            "ORGANIZER;CN=\"{}\":mailto:{}",
            organizer.name, organizer.address
        ),
        format!(
            "ATTENDEE;CN=\"{}\";RSVP=TRUE;PARTSTAT=NEEDS-ACTION:mailto:{}",
            guest.name, guest.address
        ),
        "SEQUENCE:0".to_owned(),
        "STATUS:CONFIRMED".to_owned(),
        "BEGIN:VALARM".to_owned(),
        "ACTION:DISPLAY".to_owned(),
        "DESCRIPTION:Reminder".to_owned(),
        "TRIGGER:-PT15M".to_owned(),
        "END:VALARM".to_owned(),
        "END:VEVENT".to_owned(),
        "END:VCALENDAR".to_owned(),
    ];
    let mut out = lines.join("\r\n");
    out.push_str("\r\n");
    out
}

fn chunk(out: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    let mut crc = Crc::new();
    crc.update(&kind);
    crc.update(data);
    out.extend_from_slice(&(data.len() as u32).to_be_bytes());
    out.extend_from_slice(&kind);
    out.extend_from_slice(data);
    out.extend_from_slice(&crc.sum().to_be_bytes());
}

/// WinAnsi in octal, so that the file stays ASCII.
fn pdf_text(text: &str) -> String {
    let octets = encoding_rs::WINDOWS_1252.encode(text).0;
    octets
        .iter()
        .map(|byte| match byte {
            b'(' | b')' | b'\\' => format!("\\{}", char::from(*byte)),
            b' '..=b'~' => char::from(*byte).to_string(),
            _ => format!("\\{byte:03o}"),
        })
        .collect()
}

fn hsl(hue: f32, saturation: f32, lightness: f32) -> [u8; 3] {
    let chroma = (1.0 - (2.0 * lightness.min(1.0) - 1.0).abs()) * saturation;
    let channel = |offset: f32| {
        let sector = (offset + hue / 30.0) % 12.0;
        let share = (sector - 3.0).min(9.0 - sector).clamp(-1.0, 1.0);
        let value = lightness.min(1.0) - chroma / 2.0 * share;
        (value.clamp(0.0, 1.0) * 255.0) as u8
    };
    [channel(0.0), channel(8.0), channel(4.0)]
}

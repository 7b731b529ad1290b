//! How the year goes.

pub const MINUTE: i64 = 60;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;
pub const DAYS: f64 = 365.0;
/// The gateway's own rounds in times of trouble; in truth it looks every 15 seconds.
pub const TICK: i64 = 2 * MINUTE;
/// 2027-01-01T00:00:00Z.
pub const START: i64 = 1_798_761_600;

/// An access token's life; Entra's are of 60 to 90 minutes.
pub const LIFE: i64 = 75 * MINUTE;
/// A person's account is asked for every hour of the year: for an access token, or every so many hours for an email.
pub const BETWEEN_EMAILS: i64 = 2;
/// So is the application's own in these days; else each morning for an email.
const BUSY: [(f64, f64); 4] = [(0.0, 20.0), (95.0, 105.0), (245.0, 256.0), (352.0, 358.0)];
/// A third one is used on these days only: a refresh token lives for ninety.
pub const SELDOM: [f64; 2] = [181.3, 364.4];

/// The end of the first client secret, at midnight.
pub const SECRET_ENDS: f64 = 160.0;
pub const SECRET_ENDS_DATE: &str = "2027-06-10";
/// The second one's: after the year and more than thirty days.
pub const NEXT_SECRET_ENDS_DATE: &str = "2028-06-10";
/// The operator makes the new secret and puts it into the file.
pub const SECRET_REPLACED: f64 = 159.5;
/// The operator writes the new end into the settings, and starts the gateway anew.
pub const SETTINGS_CHANGED: f64 = 159.6;
/// The certificate of the application that opens a mailbox by itself ends at this midnight.
pub const CERTIFICATE_ENDS: f64 = 250.0;
pub const CERTIFICATE_ENDS_DATE: (i32, u8, u8) = (2027, 9, 8);
pub const NEXT_CERTIFICATE_ENDS_DATE: (i32, u8, u8) = (2028, 9, 8);
/// The operator registers the next one and puts it into the file; the first is no longer registered.
pub const CERTIFICATE_REPLACED: f64 = 249.4;
pub const PASSWORD_CHANGED: f64 = 210.5;
pub const SIGNED_IN_AGAIN: f64 = 213.4;
pub const RESTARTS: [f64; 5] = [3.37, 70.2, 133.33, 229.9, 341.81];
/// The process is killed in the middle of what it does.
pub const KILLS: [f64; 6] = [17.1, 99.62, 150.04, 188.88, 263.3, 355.5];

/// Whether the application's own account is asked for each hour.
pub fn is_busy(at: i64) -> bool {
    let day = day(at);
    BUSY.iter().any(|(from, to)| (*from..*to).contains(&day))
}

/// The moment so many days after the start, to the minute.
pub fn moment(days: f64) -> i64 {
    START + i64::from((days * 1440.0).round() as i32) * MINUTE
}

/// How many days after the start.
pub fn day(at: i64) -> f64 {
    f64::from(i32::try_from((at - START) / MINUTE).unwrap()) / 1440.0
}

/// `2027-06-10 14:05`.
pub fn written(at: i64) -> String {
    let moment = jiff::Timestamp::from_second(at).unwrap();
    moment.strftime("%Y-%m-%d %H:%M").to_string()
}

/// Unix seconds of a moment in RFC 3339.
pub fn seconds(moment: &str) -> i64 {
    moment.parse::<jiff::Timestamp>().unwrap().as_second()
}

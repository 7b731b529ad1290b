//! How the year goes.

pub const MINUTE: i64 = 60;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;
pub const DAYS: f64 = 365.0;
/// The step of the clock while the accounts are used; in truth the gateway looks every 15 seconds.
pub const TICK: i64 = 5 * MINUTE;
/// 2027-01-01T00:00:00Z.
pub const START: i64 = 1_798_761_600;

/// The end of the first client secret, at midnight.
pub const SECRET_ENDS: f64 = 160.0;
pub const SECRET_ENDS_DATE: &str = "2027-06-10";
/// The second one's: after the year and more than thirty days.
pub const NEXT_SECRET_ENDS_DATE: &str = "2028-06-10";
/// The operator makes the new secret and puts it into the file.
pub const SECRET_REPLACED: f64 = 159.5;
/// The operator writes the new end into the settings, and starts the gateway anew.
pub const SETTINGS_CHANGED: f64 = 159.6;
pub const PASSWORD_CHANGED: f64 = 210.5;
pub const SIGNED_IN_AGAIN: f64 = 213.4;
/// Nobody uses the accounts: longer than a refresh token lives.
pub const NOBODY: (f64, f64) = (10.0, 128.0);
/// Days of busy use; the others that are not nobody's see one request each.
pub const HOURLY: [(f64, f64); 5] = [
    (0.0, 10.0),
    (128.0, 134.0),
    (157.0, 162.0),
    (240.0, 242.0),
    (340.0, 342.0),
];
pub const RESTARTS: [f64; 6] = [3.37, 9.7, 70.2, 133.33, 229.9, 341.81];

/// How the accounts are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usage {
    /// Once an hour.
    Hourly,
    /// At eight in the morning.
    Daily,
    Nobody,
}

pub fn usage(at: i64) -> Usage {
    let day = day(at);
    let within = |(from, to): &(f64, f64)| (*from..*to).contains(&day);
    if within(&NOBODY) {
        Usage::Nobody
    } else if HOURLY.iter().any(within) {
        Usage::Hourly
    } else {
        Usage::Daily
    }
}

impl Usage {
    pub const fn step(self) -> i64 {
        match self {
            Self::Hourly => TICK,
            Self::Daily => HOUR,
            Self::Nobody => 6 * HOUR,
        }
    }

    pub const fn is_due(self, at: i64) -> bool {
        match self {
            Self::Hourly => at % HOUR == 0,
            Self::Daily => at % DAY == 8 * HOUR,
            Self::Nobody => false,
        }
    }
}

/// The moment so many days after the start.
pub fn moment(days: f64) -> i64 {
    START + i64::from((days * 288.0).round() as i32) * TICK
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

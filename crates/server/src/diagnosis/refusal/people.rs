//! The person behind a delegated grant: what became of their sign-in, and who can mend it.

use super::{AGAIN, Line, Rule, app_only, delegated, line};

pub(super) const RULES: &[Rule] = &[
    Rule::new(
        &[700_082],
        "grant_idle_too_long",
        "The grant was not used for too long",
        &[
            SIGN_IN,
            line("It does not happen to an account that is kept: a gateway that runs renews its grants long before the 90 days."),
        ],
    ),
    Rule::new(
        &[50_133, 50_132],
        "password_changed",
        "The password was changed since the mailbox was connected",
        &[SIGN_IN],
    ),
    Rule::new(
        &[50_173],
        "grant_revoked",
        "The grant was withdrawn: the password was reset, or somebody signed the person out everywhere",
        &[
            SIGN_IN,
            line("Where nobody knows of a reset, an administrator looks into the sign-in and audit logs for who revoked the sessions."),
        ],
    ),
    Rule::new(
        &[70_043],
        "sign_in_frequency",
        "The tenant demands a new sign-in every so often",
        &[
            SIGN_IN,
            line("It will happen again: an administrator excludes the application from the Conditional Access policy's sign-in frequency, or the mailbox is given to the application itself (app-only)."),
        ],
    ),
    Rule::new(
        &[50_076, 50_079, 50_072, 50_074, 50_078, 50_158, 53_010],
        "second_step_required",
        "The tenant demands a second step at sign-in",
        &[
            line("The person signs in again in a browser and does the second step (multi-factor authentication) there; whoever has not set one up is led through it."),
            line("For a mailbox that no person watches, an administrator gives it to the application itself (app-only)."),
        ],
    ),
    Rule::new(
        &[50_055, 50_125, 50_135, 50_144],
        "password_expired",
        "The person's password has expired",
        &[
            line("The person sets a new password at the organisation's sign-in page."),
            SIGN_IN,
        ],
    ),
    Rule::new(
        &[50_057],
        "person_disabled",
        "The person's account is disabled",
        &[
            line("An administrator enables it: Microsoft Entra admin center > Users > the person > Account enabled. Where the person has left, connect the mailbox as somebody who has Full Access to it, or app-only."),
            SIGN_IN,
        ],
    ),
    Rule::new(
        &[50_053],
        "person_locked",
        "The person's account is locked, or the sign-in came from a suspicious address",
        &[
            line("Wait a while, or let an administrator look into the sign-in log: too many wrong passwords lock an account for minutes; an address that Entra distrusts stays distrusted until the gateway's outgoing address changes."),
            SIGN_IN,
        ],
    ),
    Rule::new(
        &[50_034, 51_004, 50_014, 50_020, 50_197, 90_072, 16_000, 16_003, 500_208],
        "person_not_in_tenant",
        "The tenant does not know the person",
        &[
            line("Check the address: {tenant} was asked. The sign-in name may differ from the mail address, and a deleted person is gone."),
            SIGN_IN,
        ],
    ),
    Rule::new(
        &[50_105],
        "person_not_assigned",
        "The person may not use the application",
        &[
            line("An administrator adds the person: Microsoft Entra admin center > Enterprise applications > {client_id} > Users and groups; or switches Assignment required off under Properties."),
            SIGN_IN,
        ],
    ),
    Rule::new(
        &[50_126, 50_056, 50_064],
        "password_wrong",
        "Name or password is wrong",
        &[SIGN_IN],
    ),
    Rule::new(
        &[53_011],
        "person_at_risk",
        "The person's own organisation blocks them as a risk",
        &[
            line("An administrator of the person's home tenant looks under Microsoft Entra admin center > Protection > Risky users, and dismisses or remediates the risk."),
            SIGN_IN,
        ],
    ),
    Rule::new(
        &[53_000, 53_001, 53_002, 50_097, 50_129],
        "device_required",
        "The tenant lets only managed devices in",
        &[
            line("A server is no managed device: an administrator excludes application {client_id} from the Conditional Access policy."),
            delegated("Or the person signs in from a managed device."),
            SIGN_IN,
        ],
    ),
    Rule::new(
        &[53_003, 53_004, 53_005, 50_131, 530_031, 530_032, 530_034, 530_035],
        "conditional_access",
        "A Conditional Access policy of the tenant forbids it",
        &[
            delegated("An administrator of {tenant} sees which policy: Microsoft Entra admin center > Monitoring & health > Sign-in logs > the person's sign-in > Conditional Access; and excludes application {client_id}, or the person meets its condition (place, device, risk)."),
            app_only("An administrator of {tenant} sees which policy: Microsoft Entra admin center > Monitoring & health > Sign-in logs > Service principal sign-ins > {client_id} > Conditional Access; and excludes the application from that policy for workload identities, or adds the gateway's address to its named locations."),
            app_only("Then try again."),
            SIGN_IN,
        ],
    ),
    Rule::new(
        &[70_000],
        "mailbox_in_abuse_mode",
        "Microsoft has blocked the person's account",
        &[
            line("The person signs in at https://account.live.com and follows the pages there."),
            SIGN_IN,
        ],
    )
    .says(&["abuse mode"]),
    Rule::new(
        &[70_000],
        "grant_scope_gone",
        "The grant no longer covers what is asked for",
        &[
            line("`{scopes}` is asked for. The consent was withdrawn or never covered all of it: the person agrees anew."),
            SIGN_IN,
        ],
    )
    .says(&["scopes requested are unauthorized", "unauthorized or expired"]),
    Rule::new(
        &[70_000, 70_008, 50_085, 50_089, 50_139, 54_005, 9_002_313, 70_002],
        "grant_invalid",
        "The grant is spent, cut short, or of another application",
        &[
            SIGN_IN,
            line("An imported refresh token must have been given to application {client_id} in the same tenant, and be whole."),
        ],
    )
    .error("invalid_grant"),
    Rule::new(
        &[65_004],
        "access_denied",
        "Access was not granted",
        &[delegated("Try again and agree to the permissions that are shown.")],
    ),
    Rule::new(
        &[20_001, 20_012, 20_033, 40_008, 40_009, 40_010, 40_015],
        "identity_provider_failed",
        "The identity provider of the person's organisation failed",
        &[
            SIGN_IN,
            line("Where that fails too, it is the organisation's own sign-in server (federation) that has to be mended."),
        ],
    ),
    Rule::new(
        &[50_196],
        "authority_loop_detected",
        "The authority saw the same request too often",
        &[
            line("See that only one program uses this person's grant."),
            AGAIN,
        ],
    ),
];

/// The grant is dead, and why is not said.
pub(super) const SIGN_IN_AGAIN: Rule = Rule::new(
    &[],
    "reauth_required",
    "The person must sign in again",
    &[SIGN_IN],
);

/// The last step wherever a person has to come.
pub(super) const SIGN_IN: Line = delegated(
    "The person signs in again: open the account's reauth_url, or start a new connect session for them.",
);

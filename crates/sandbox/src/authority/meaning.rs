//! What an AADSTS number means and who can mend it, in plain words, for the error page.

/// The meaning of a number, or a general word.
pub(crate) fn meaning(code: u32) -> &'static str {
    MEANINGS
        .iter()
        .find(|(known, _)| *known == code)
        .map_or("The sandbox does not know this number.", |(_, meaning)| {
            meaning
        })
}

static MEANINGS: &[(u32, &str)] = &[
    (
        28000,
        "The application asked for one token for two APIs. Its developer asks for each API's token separately.",
    ),
    (
        28002,
        "The application redeems its code with a scope that no token can carry. Its developer corrects the scope.",
    ),
    (
        50011,
        "The application asked for the answer to be sent to an address that is not registered for it. Its developer adds exactly this redirect URI to the registration, or corrects the request: scheme, host, port, path and letter case all count.",
    ),
    (
        50034,
        "There is no such account in this organization. Check the address for typing errors.",
    ),
    (
        50057,
        "An administrator has blocked this account from signing in.",
    ),
    (
        50058,
        "The application wanted a sign-in without any page, but nobody is signed in. It sends the person to the sign-in page.",
    ),
    (
        50059,
        "The request does not say which organization it is for. The application uses the tenant's id or domain in the address instead of 'common'.",
    ),
    (50126, "The address or the password is wrong."),
    (
        50148,
        "The application began with PKCE and did not prove it when it redeemed the code. Its developer sends code_verifier.",
    ),
    (
        50149,
        "The application asked for a PKCE method that does not exist. Its developer uses S256.",
    ),
    (
        50173,
        "The access was withdrawn: the password was changed, or somebody signed the person out everywhere. The person connects again.",
    ),
    (
        50194,
        "The application is registered for one organization only, so it cannot use the address for all ('common'). It uses its tenant's id in the address.",
    ),
    (
        54005,
        "The code of this sign-in was already used. A code works once; begin again.",
    ),
    (
        65001,
        "Nobody has agreed yet that this application may have this access. Sign in once with the consent page, or let an administrator agree for everybody.",
    ),
    (
        65004,
        "The person chose not to give the access. Nothing was changed.",
    ),
    (
        70000,
        "The code or refresh token was given to another application.",
    ),
    (
        70003,
        "The application asked for a token in a way that the authority does not offer.",
    ),
    (
        70005,
        "The application asked for an answer that it is not set up for. It uses response_type=code.",
    ),
    (
        70007,
        "The application asked for the answer to be delivered in an unknown way. It uses query, fragment or form_post.",
    ),
    (
        70008,
        "The code was not used in time (ten minutes). Begin again.",
    ),
    (
        70011,
        "The application asked for a scope that is written wrongly.",
    ),
    (
        90002,
        "There is no organization of this id or domain here. The tenant in the application's settings is wrong.",
    ),
    (
        90023,
        "The application sent a value for 'prompt' that does not exist.",
    ),
    (
        90033,
        "The sandbox could not write something down, or was told to fail. Try again.",
    ),
    (
        90094,
        "The organization lets only administrators agree to applications that open mail. An administrator opens the approval link.",
    ),
    (
        165_900,
        "The sign-in took too long, or this page belongs to another browser. Go back to the application and begin again.",
    ),
    (
        500_011,
        "The API that the application wants a token for does not exist here; often a typing error in the scope.",
    ),
    (
        500_112,
        "The application redeems its code with another redirect URI than the one it began with.",
    ),
    (
        500_208,
        "Work accounts cannot sign in at the address for personal accounts ('consumers').",
    ),
    (
        501_481,
        "The PKCE proof does not belong to the request that the sign-in began with. Often two sign-ins were mixed up.",
    ),
    (
        501_491,
        "The PKCE challenge must be 43 to 128 characters long.",
    ),
    (
        650_053,
        "The API does not publish the permission that the application asks for; often a typing error in the scope.",
    ),
    (
        700_005,
        "The code was issued by another tenant's address than the one it is redeemed at.",
    ),
    (
        700_016,
        "No application of this client id is registered in this organization. The client id or the tenant in the application's settings is wrong.",
    ),
    (
        700_022,
        "The application asked for one token for two APIs. Its developer asks for each API's token separately.",
    ),
    (
        700_025,
        "The application is registered without a secret and sent one.",
    ),
    (
        700_027,
        "The application signs with a certificate that is not registered for it.",
    ),
    (
        700_054,
        "The application asked for an id_token without a code and is not set up for that. It uses response_type=code.",
    ),
    (
        700_082,
        "The refresh token was not used for 90 days. The person connects again.",
    ),
    (
        700_084,
        "The refresh token of a single-page application ends after 24 hours. The redirect URI should be of type Web.",
    ),
    (
        900_144,
        "A parameter is missing in the request. Its developer adds it.",
    ),
    (900_561, "The token address is for POST only."),
    (
        900_971,
        "The application has no redirect URI, or the request names none.",
    ),
    (
        1_002_012,
        "Without a person, an application can only ask for '{resource}/.default'.",
    ),
    (
        7_000_112,
        "The application was switched off by an administrator.",
    ),
    (
        7_000_215,
        "The client secret is wrong. Often the secret's id was pasted instead of its value.",
    ),
    (
        7_000_218,
        "The application must prove its identity with a secret or certificate and sent none.",
    ),
    (
        7_000_222,
        "The client secret has ended. The operator makes a new one and enters it.",
    ),
    (
        9_002_313,
        "The request is not in the form that the authority understands.",
    ),
    (9_002_325, "A single-page application must use PKCE."),
    (
        9_002_326,
        "A browser tried to redeem a code or secret that belongs to a server. The redirect URI would have to be of type Single-Page Application; for a server, the browser must not call the token address.",
    ),
    (
        9_002_327,
        "The redirect URI is of type Single-Page Application, so only a browser may redeem its codes. For a server, register it as type Web.",
    ),
];

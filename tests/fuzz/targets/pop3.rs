#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| mailgrant_sandbox::fuzz::pop3(input));

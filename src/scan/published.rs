//! Is this value published for everyone? Emulators and local test networks come with fixed keys that open nothing else, and
//! vendors print sample values in their documentation that everyone copies.

use sha2::{Digest, Sha256};

/// The first 8 bytes of the SHA-256 of each value: the values themselves would look like leaks in this repository.
const PUBLISHED: [u64; 29] = [
    0x0011_cc25_eb43_2071, // Azurite and the Azure storage emulator
    0xaa65_4743_9583_c3a2, // the Cosmos DB emulator
    0xbc1a_5096_6c9e_6486, // the first three accounts of Hardhat and Anvil
    0x8335_c553_3482_1eef,
    0xb26a_b652_9d20_ebeb,
    0x5785_9218_5588_730b, // the first account of `ganache --deterministic`
    0x2037_abca_ffb2_b777, // the keys in the tests of Google's firebase-android-sdk
    0x3f37_0c9d_d822_5c63,
    0xe4a5_542b_b7fd_7b67,
    0xa19f_89ab_3555_eac1,
    0x0b47_6bdf_9acf_2123,
    0xeb54_0d2b_6ee2_a0a4,
    0x37f8_f09b_df12_c2f2,
    0x8731_261c_b72d_8626,
    0x49f7_77db_995e_8260,
    0x27a9_a429_31df_f7eb,
    0xdc0f_cf04_6c61_640c,
    0x4c98_242d_cadc_8b29,
    0xea9b_b108_2cf9_5663,
    0x3a8b_61d0_f636_b007,
    0xa6c8_14bc_555a_e62c,
    0x3543_c50b_0cb9_cea8, // the tokens in GitHub's documentation
    0xbc3a_e723_f57c_6b9e,
    0x82e7_4299_544e_0073,
    0x6d7f_a4e6_4d4b_1f3e,
    0xdba7_2c00_f41f_4e4c, // the passwords in NuGet's documentation
    0xa070_2bc9_1d69_9f60,
    0xa7b5_80d7_11ef_2807, // the password in Kubernetes' documentation of Secrets, plain and in base64
    0x13fe_7a38_a57c_4605,
];

/// True for a key that every copy of an emulator has, and for the samples of documentation.
pub(super) fn is_published(value: &[u8]) -> bool {
    let value = value.strip_prefix(b"0x").unwrap_or(value);
    let hash = Sha256::digest(value);
    let first = hash[..8].iter().fold(0u64, |sum, &byte| sum << 8 | u64::from(byte));
    PUBLISHED.contains(&first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emulator_key_is_published_and_its_neighbour_is_not() {
        // In pieces, so that no scanner takes this file for a leak.
        let parts = ["Eby8vdM02xNOcqFlqUwJPL", "lmEtlCDXJ1OUzFT50uSRZ6I", "FsuFq2UVErCz4I6tq/K1SZ", "FPTOtr/KBHBeksoGMGw=="];
        assert!(is_published(parts.concat().as_bytes()));
        assert!(!is_published(parts.concat().replace("Eby8", "Eby9").as_bytes()));
        let parts = ["0xac0974bec39a17e3", "6ba4a6b4d238ff94", "4bacb478cbed5efc", "ae784d7bf4f2ff80"];
        assert!(is_published(parts.concat().as_bytes()));
    }
}

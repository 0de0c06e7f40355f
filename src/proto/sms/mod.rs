//! Texts as carriers see them: alphabets and lengths, long texts in parts, and what delivery receipts say. Pure.

pub mod alphabet;
pub mod parts;
pub mod receipt;
pub mod wholes;

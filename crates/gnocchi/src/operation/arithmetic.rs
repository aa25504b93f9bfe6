//! Functions of two numbers.

use super::BinaryFunction;

impl BinaryFunction {
    /// What it makes of two numbers, as numpy has it; of a comparison 1 or 0.
    pub fn apply(self, one: f64, other: f64) -> f64 {
        let truth = |is_true: bool| f64::from(u8::from(is_true));
        #[expect(clippy::float_cmp, reason = "the user wants to know whether they are the same")]
        match self {
            Self::Equal => truth(one == other),
            Self::NotEqual => truth(one != other),
            Self::Less => truth(one < other),
            Self::LessOrEqual => truth(one <= other),
            Self::Greater => truth(one > other),
            Self::GreaterOrEqual => truth(one >= other),
            Self::Modulo => modulo(one, other),
            Self::Add => one + other,
            Self::Subtract => one - other,
            Self::Multiply => one * other,
            Self::Divide => one / other,
            // Squares are exact to half of the last digit, powers in general are not.
            Self::Power if other == 2.0 => one * one,
            Self::Power => one.powf(other),
            Self::ClipMin => greater(one, other),
            Self::ClipMax => less(one, other),
            Self::Max => one.max(other),
        }
    }
}

/// The rest of a division; with the sign of the divisor, as Python has it.
fn modulo(one: f64, other: f64) -> f64 {
    let rest = one % other;
    if other == 0.0 || rest.is_nan() {
        rest
    } else if rest == 0.0 {
        0.0_f64.copysign(other)
    } else if (other < 0.0) == (rest < 0.0) {
        rest
    } else {
        rest + other
    }
}

/// The greater of two; NaN if one of them is.
fn greater(one: f64, other: f64) -> f64 {
    if one.is_nan() || one > other { one } else { other }
}

/// The less of two; NaN if one of them is.
fn less(one: f64, other: f64) -> f64 {
    if one.is_nan() || one < other { one } else { other }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_has_the_sign_of_the_divisor() {
        let rest = |one, other| BinaryFunction::Modulo.apply(one, other);
        assert_eq!((rest(7.0, 3.0), rest(-7.0, 3.0), rest(7.0, -3.0)), (1.0, 2.0, -2.0));
        assert!(rest(6.0, -3.0).is_sign_negative());
        assert!(rest(1.0, 0.0).is_nan());
        assert_eq!(rest(-1.0, f64::INFINITY), f64::INFINITY);
    }

    #[test]
    fn bounds_pass_nan_on_and_the_greater_of_two_does_not() {
        let apply = |function: BinaryFunction, one, other| function.apply(one, other);
        assert!(apply(BinaryFunction::ClipMin, f64::NAN, 1.0).is_nan());
        assert!(apply(BinaryFunction::ClipMax, 1.0, f64::NAN).is_nan());
        assert_eq!(apply(BinaryFunction::Max, f64::NAN, 1.0), 1.0);
        assert_eq!(apply(BinaryFunction::ClipMin, 1.0, 2.0), 2.0);
        assert_eq!(apply(BinaryFunction::ClipMax, 1.0, 2.0), 1.0);
    }
}

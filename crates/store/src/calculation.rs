//! What is made of several series on reading.

;; The inner loops of the search for a permutation, 16 rows at a time. A column is `length` bytes, a multiple of 16; the
;; thresholds of the column at offset x are at x + $limits. simd-kernel.ts lays out the memory, kernel.ts says the same
;; in TypeScript.
(module
  (import "search" "memory" (memory 1))

  ;; Sum over the rows of max(limit of x, y) + max(limit of y, x). 16-bit sums hold 64 vectors of 4 x 255.
  (func (export "exchanged") (param $x i32) (param $y i32) (param $limits i32) (param $length i32) (result i32)
    (local $end i32) (local $pause i32) (local $short v128) (local $sum v128)
    (local.set $end (i32.add (local.get $x) (local.get $length)))
    (loop $blocks
      (local.set $short (v128.const i64x2 0 0))
      (local.set $pause (i32.add (local.get $x) (i32.const 1024)))
      (if (i32.gt_u (local.get $pause) (local.get $end)) (then (local.set $pause (local.get $end))))
      (loop $rows
        (local.set $short
          (i16x8.add
            (local.get $short)
            (i16x8.add
              (i16x8.extadd_pairwise_i8x16_u
                (i8x16.max_u
                  (v128.load (i32.add (local.get $x) (local.get $limits)))
                  (v128.load (local.get $y))))
              (i16x8.extadd_pairwise_i8x16_u
                (i8x16.max_u
                  (v128.load (i32.add (local.get $y) (local.get $limits)))
                  (v128.load (local.get $x)))))))
        (local.set $x (i32.add (local.get $x) (i32.const 16)))
        (local.set $y (i32.add (local.get $y) (i32.const 16)))
        (br_if $rows (i32.lt_u (local.get $x) (local.get $pause))))
      (local.set $sum (i32x4.add (local.get $sum) (i32x4.extadd_pairwise_i16x8_u (local.get $short))))
      (br_if $blocks (i32.lt_u (local.get $x) (local.get $end))))
    (i32.add
      (i32.add (i32x4.extract_lane 0 (local.get $sum)) (i32x4.extract_lane 1 (local.get $sum)))
      (i32.add (i32x4.extract_lane 2 (local.get $sum)) (i32x4.extract_lane 3 (local.get $sum)))))

  ;; Thresholds of the columns whose offsets are the words from $members to $top: in every row the $n-th highest value of
  ;; the others. From $top on, $n + 1 vectors are scratch: the highest values of 16 rows, highest first.
  (func (export "regroup")
    (param $members i32) (param $top i32) (param $n i32) (param $limits i32) (param $length i32)
    (local $row i32) (local $member i32) (local $place i32) (local $last i32)
    (local $value v128) (local $other v128) (local $nth v128) (local $next v128)
    (local.set $last (i32.add (local.get $top) (i32.shl (local.get $n) (i32.const 4))))
    (loop $rows
      (local.set $place (local.get $top))
      (loop $clear
        (v128.store (local.get $place) (v128.const i64x2 0 0))
        (local.set $place (i32.add (local.get $place) (i32.const 16)))
        (br_if $clear (i32.le_u (local.get $place) (local.get $last))))
      (local.set $member (local.get $members))
      (loop $each
        (local.set $value (v128.load (i32.add (i32.load (local.get $member)) (local.get $row))))
        (local.set $place (local.get $top))
        (loop $insert
          (local.set $other (v128.load (local.get $place)))
          (v128.store (local.get $place) (i8x16.max_u (local.get $other) (local.get $value)))
          (local.set $value (i8x16.min_u (local.get $other) (local.get $value)))
          (local.set $place (i32.add (local.get $place) (i32.const 16)))
          (br_if $insert (i32.le_u (local.get $place) (local.get $last))))
        (local.set $member (i32.add (local.get $member) (i32.const 4)))
        (br_if $each (i32.lt_u (local.get $member) (local.get $top))))
      (local.set $nth (v128.load (i32.sub (local.get $last) (i32.const 16))))
      (local.set $next (v128.load (local.get $last)))
      (local.set $member (local.get $members))
      (loop $each
        (local.set $place (i32.add (i32.load (local.get $member)) (local.get $row)))
        (v128.store
          (i32.add (local.get $place) (local.get $limits))
          (v128.bitselect
            (local.get $next)
            (local.get $nth)
            (i8x16.gt_u (v128.load (local.get $place)) (local.get $next))))
        (local.set $member (i32.add (local.get $member) (i32.const 4)))
        (br_if $each (i32.lt_u (local.get $member) (local.get $top))))
      (local.set $row (i32.add (local.get $row) (i32.const 16)))
      (br_if $rows (i32.lt_u (local.get $row) (local.get $length))))))

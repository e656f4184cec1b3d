//! Convolutions. With `K = d·(k − 1) + 1` the reach of a kernel, a convolution reads of its padded operand of size P the
//! first `stride·(out − 1) + K ≤ P` places of each axis, and leaves at most `stride − 1` at the end unread. The gradient
//! of its operand is the transposed convolution; that of its weight is again a convolution, of the operand by the
//! gradient, with records and channels exchanged and with stride and dilation exchanged (Dumoulin and Visin, *A guide to
//! convolution arithmetic for deep learning*, 2016).

use super::{Parts, Site, along};
use crate::onnx::{Attribute, Op};

/// How a window moves over the axes behind records and channels.
pub(super) struct Window {
    pub(super) strides: Vec<i64>,
    pub(super) dilations: Vec<i64>,
    /// Tensor: the places added before each axis.
    pub(super) begin: String,
    /// Tensor: the places added behind each axis.
    pub(super) end: String,
}

/// Y = X ∗ W + b
pub(super) fn conv(s: &mut Site<'_>) -> Parts {
    let (g, x, w) = (s.g()?, s.x(0)?, s.x(1)?);
    let spatial = s.rank(0)?.saturating_sub(2);
    let kernel = s.spatial_sizes(&w);
    let window = s.window(spatial, &x, &g, &kernel)?;
    let dx = s.wants(0).then(|| {
        let group = s.group();
        s.spread(&g, &w, &window, group, &x)
    });
    let dw = s.wants(1).then(|| s.kernel_gradient(&x, &g, &window, &w));
    Ok(vec![dx, dw, s.bias_gradient(&g, spatial)])
}

/// Y = Xᵀ∗ W + b: the convolution's adjoint, whose own adjoint is the convolution. What the padded end of the output has
/// beyond a whole number of strides is zero.
pub(super) fn conv_transpose(s: &mut Site<'_>) -> Parts {
    let (g, x, w) = (s.g()?, s.x(0)?, s.x(1)?);
    if s.node.ints("output_shape").is_some() || s.node.text("auto_pad").is_some_and(|pad| pad != "NOTSET") {
        return Err("it takes its padding from the size of its output".to_owned());
    }
    let spatial = s.rank(0)?.saturating_sub(2);
    let kernel = s.spatial_sizes(&w);
    let window = s.window(spatial, &g, &x, &kernel)?;
    let dx = s.wants(0).then(|| {
        let padded = s.padded(&g, &window);
        let attributes = window.attributes(s.group());
        let whole = s.b.node(Op::Conv, &[&padded, &w], &attributes);
        let (zeros, sizes) = (s.b.ints(&vec![0; spatial]), s.spatial_sizes(&x));
        s.cut(&whole, &zeros, &sizes, spatial)
    });
    let dw = s.wants(1).then(|| s.kernel_gradient(&g, &x, &window, &w));
    Ok(vec![dx, dw, s.bias_gradient(&g, spatial)])
}

impl Window {
    fn attributes(&self, group: i64) -> [(&'static str, Attribute); 3] {
        [
            ("strides", Attribute::Ints(self.strides.clone())),
            ("dilations", Attribute::Ints(self.dilations.clone())),
            ("group", Attribute::Int(group)),
        ]
    }

    /// Whether every place of the operand is read in turn, so that nothing has to be cut off.
    fn is_plain(&self, s: &Site<'_>) -> bool {
        let none = |name: &str| s.b.shapes.ints(name).is_some_and(|all| all.iter().all(|&places| places == 0));
        self.strides.iter().all(|&stride| stride == 1) && none(&self.begin) && none(&self.end)
    }
}

impl Site<'_> {
    fn group(&self) -> i64 {
        self.node.int("group").unwrap_or(1)
    }

    fn per_axis(&self, name: &str, spatial: usize) -> Result<Vec<i64>, String> {
        let values = self.node.ints(name).map_or_else(|| vec![1; spatial], <[i64]>::to_vec);
        let fits = values.len() == spatial && values.iter().all(|&value| value > 0);
        if fits { Ok(values) } else { Err(format!("its `{name}` do not fit its operand")) }
    }

    /// The window of the node over `wide`, with one place of `narrow` for each position. `auto_pad` spreads what is
    /// missing for `narrow` over both ends, the odd place at the end (`SAME_UPPER`) or at the beginning.
    pub(super) fn window(&mut self, spatial: usize, wide: &str, narrow: &str, kernel: &str) -> Result<Window, String> {
        let strides = self.per_axis("strides", spatial)?;
        let dilations = self.per_axis("dilations", spatial)?;
        let (begin, end) = match (self.node.text("auto_pad").unwrap_or("NOTSET"), self.node.ints("pads")) {
            ("NOTSET", Some(pads)) if pads.len() == 2 * spatial => {
                let (begin, end) = pads.split_at(spatial);
                (self.b.ints(begin), self.b.ints(end))
            }
            ("NOTSET", Some(_)) => return Err("its `pads` do not fit its operand".to_owned()),
            ("NOTSET" | "VALID", _) => (self.b.ints(&vec![0; spatial]), self.b.ints(&vec![0; spatial])),
            (same @ ("SAME_UPPER" | "SAME_LOWER"), _) => {
                let missing = self.missing_places(&strides, &dilations, wide, narrow, kernel);
                let two = self.b.ints(&[2]);
                let half = self.b.div(&missing, &two);
                let rest = self.b.sub(&missing, &half);
                if same == "SAME_UPPER" { (half, rest) } else { (rest, half) }
            }
            (other, _) => return Err(format!("its `auto_pad` is `{other}`")),
        };
        Ok(Window { strides, dilations, begin, end })
    }

    /// max(stride·(out − 1) + d·(k − 1) + 1 − in, 0)
    fn missing_places(&mut self, strides: &[i64], dilations: &[i64], wide: &str, narrow: &str, kernel: &str) -> String {
        let (have, positions) = (self.spatial_sizes(wide), self.spatial_sizes(narrow));
        let (strides, dilations, one, zero) =
            (self.b.ints(strides), self.b.ints(dilations), self.b.ints(&[1]), self.b.ints(&[0]));
        let steps = self.b.sub(&positions, &one);
        let reach = self.b.sub(kernel, &one);
        let (steps, reach) = (self.b.mul(&steps, &strides), self.b.mul(&reach, &dilations));
        let needed = self.b.add(&steps, &reach);
        let needed = self.b.add(&needed, &one);
        let missing = self.b.sub(&needed, &have);
        self.b.binary(Op::Max, &missing, &zero)
    }

    /// Tensor: the sizes of the axes behind the first two.
    pub(super) fn spatial_sizes(&mut self, x: &str) -> String {
        if let Some(dims) = self.b.shapes.known_dims(x) {
            return self.b.ints(dims.get(2..).unwrap_or_default());
        }
        let shape = self.b.shape_of(x);
        let (two, all) = (self.b.ints(&[2]), self.b.ints(&[i64::MAX]));
        self.b.node(Op::Slice, &[&shape, &two, &all], &[])
    }

    /// The transposed convolution of `g`, as large as `like`. It is computed with all that the padding held and with
    /// room for the places that were never read, then cut.
    pub(super) fn spread(&mut self, g: &str, kernel: &str, window: &Window, group: i64, like: &str) -> String {
        let room = window.strides.iter().map(|stride| stride - 1).collect();
        let [strides, dilations, group] = window.attributes(group);
        let attributes = [strides, dilations, group, ("output_padding", Attribute::Ints(room))];
        let whole = self.b.node(Op::ConvTranspose, &[g, kernel], &attributes);
        if window.is_plain(self) {
            return whole;
        }
        let sizes = self.spatial_sizes(like);
        self.cut(&whole, &window.begin, &sizes, window.strides.len())
    }

    /// `x[:, :, begin:begin + sizes]`
    fn cut(&mut self, x: &str, begin: &str, sizes: &str, spatial: usize) -> String {
        let axes = self.b.ints(&(2..2 + spatial as i64).collect::<Vec<_>>());
        let end = self.b.add(begin, sizes);
        self.b.node(Op::Slice, &[x, begin, &end, &axes], &[])
    }

    fn padded(&mut self, x: &str, window: &Window) -> String {
        let front = self.b.ints(&[0, 0]);
        let pads = self.b.node(Op::Concat, &[&front, &window.begin, &front, &window.end], &along(0));
        self.b.binary(Op::Pad, x, &pads)
    }

    /// dW[m, c, k] = Σ over records n and positions o: narrow[n, m, o] · wide[n, c, stride·o + d·k − begin], as large as
    /// `like`. Each group's channels become records of their own, its records channels.
    fn kernel_gradient(&mut self, wide: &str, narrow: &str, window: &Window, like: &str) -> String {
        let group = self.group();
        let spatial = window.strides.len();
        let wide = self.padded(wide, window);
        let (records, places) = (self.b.size_of_axis(&wide, 0), self.spatial_sizes(&wide));
        let (groups, rest) = (self.b.ints(&[group]), self.b.ints(&[-1]));
        let split = self.b.node(Op::Concat, &[&records, &groups, &rest, &places], &along(0));
        let split = self.b.node(Op::Reshape, &[&wide, &split], &[]);
        let last = 3..3 + spatial as i64;
        let turn = Attribute::Ints([2, 1, 0].into_iter().chain(last).collect());
        let turned = self.b.node(Op::Transpose, &[&split], &[("perm", turn)]);
        let channels = self.b.mul(&records, &groups);
        let joined = self.b.node(Op::Concat, &[&rest, &channels, &places], &along(0));
        let operand = self.b.node(Op::Reshape, &[&turned, &joined], &[]);
        let exchange = Attribute::Ints([1, 0].into_iter().chain(2..2 + spatial as i64).collect());
        let exchange = [("perm", exchange)];
        let kernel = self.b.node(Op::Transpose, &[narrow], &exchange);
        let exchanged = Window {
            strides: window.dilations.clone(),
            dilations: window.strides.clone(),
            begin: String::new(),
            end: String::new(),
        };
        let whole = self.b.node(Op::Conv, &[&operand, &kernel], &exchanged.attributes(group));
        let (zeros, sizes) = (self.b.ints(&vec![0; spatial]), self.spatial_sizes(like));
        let part = self.cut(&whole, &zeros, &sizes, spatial);
        self.b.node(Op::Transpose, &[&part], &exchange)
    }

    fn bias_gradient(&mut self, g: &str, spatial: usize) -> Option<String> {
        let axes: Vec<i64> = [0].into_iter().chain(2..2 + spatial as i64).collect();
        self.wants(2).then(|| self.b.reduce_sum(g, &axes, false))
    }
}
